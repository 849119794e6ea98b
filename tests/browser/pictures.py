"""How large drawings are on the page, and how well they and texts stand out from what is behind them."""

SIZES = """async outputs => {
  const pictures = outputs.flatMap(output => [...output.querySelectorAll('.jp-RenderedSVG img, .jp-RenderedSVG svg')]);
  // Fails where what the address holds is no picture.
  await Promise.all(pictures.map(picture => picture.decode?.()));
  return pictures.map(picture => {
    const { width, height } = picture.getBoundingClientRect();
    return picture.checkVisibility() ? [width, height] : [0, 0];
  });
}"""

# The colour behind an element: what the elements around it paint as their grounds, through to the first that hides those behind it.
GROUND = """const ground = node => {
  const layers = [];
  for (; node && layers.at(-1)?.[3] !== 1; node = node.parentElement) {
    const [red, green, blue, opacity = 1] = getComputedStyle(node).backgroundColor.match(/[\\d.]+/g).map(Number);
    layers.push([red, green, blue, opacity]);
  }
  const blend = (behind, [red, green, blue, opacity]) =>
    [red, green, blue].map((channel, index) => opacity * channel + (1 - opacity) * behind[index]);
  return `rgb(${layers.reduceRight(blend, [255, 255, 255]).join(', ')})`;
};
"""
TEXTS = (
    """outputs => { """
    + GROUND
    + """
  return outputs.flatMap(output => [output, ...output.querySelectorAll('*')])
    .filter(node => [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim()) && node.checkVisibility())
    .map(node => [node.textContent.trim().slice(0, 40), getComputedStyle(node).color, ground(node)]);
}"""
)
# JupyterLab shows a drawing as a picture, into which the page cannot look; its source is in the address.
DRAWING = (
    """outputs => { """
    + GROUND
    + """
  const picture = outputs.map(output => output.querySelector('.jp-RenderedSVG img')).find(Boolean);
  const source = decodeURIComponent(picture.src.slice(picture.src.indexOf(',') + 1));
  const drawing = document.importNode(new DOMParser().parseFromString(source, 'image/svg+xml').documentElement, true);
  document.body.append(drawing);
  const paint = node => {
    const { fill, stroke, fillOpacity, strokeOpacity } = getComputedStyle(node);
    return fill !== 'none' && fillOpacity > 0.5 ? fill : stroke !== 'none' && strokeOpacity > 0.5 ? stroke : null;
  };
  const found = [...drawing.querySelectorAll('text, polyline, polygon, line, path, circle, rect')]
    .map(node => [node.tagName, node.textContent.trim(), paint(node), ground(picture)]);
  drawing.remove();
  return found.filter(([, , paint]) => paint);
}"""
)


def sizes(lab, index):
    """Width and height of the drawings in a cell's output; nothing for one that is hidden."""
    return lab.output(index).evaluate_all(SIZES)


def contrasts_of_text(lab, index):
    """The contrast of each text in a cell's output."""
    return {text: contrast(colour, ground) for text, colour, ground in lab.output(index).evaluate_all(TEXTS)}


def contrasts_in_drawing(lab, index):
    """The contrasts of the texts, and of the other shapes, in a cell's drawing."""
    texts, shapes = {}, {}
    for position, (tag, text, colour, ground) in enumerate(lab.output(index).evaluate_all(DRAWING)):
        (texts if tag == "text" else shapes)[text or f"{tag} {position}"] = contrast(colour, ground)
    return texts, shapes


def contrast(one, other):
    """From 1 to 21, as WCAG 2 defines it."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour):
    """Of `rgb(31, 122, 196)`, the way in which browsers name computed colours."""
    channels = [float(number) / 255 for number in colour.partition("(")[2].rstrip(")").split(",")[:3]]
    red, green, blue = [channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
