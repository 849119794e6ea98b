"""What cells show: results, tables, drawings, progress; in light and in dark."""

from pictures import contrasts_in_drawing, contrasts_of_text, sizes
from scenario import main

PLOT = """let threads = [1, 2, 4, 8];
Plot::new()
    .line("measured", &threads, [1.0, 1.9, 3.5, 5.9])
    .ideal("ideal", &threads, &threads)
    .x_label("threads")
    .y_label("speed-up")
    .title("How much faster?")"""
TABLE = 'Table::new().column("program", ["waits", "computes"]).column("time", [Duration::from_millis(3), Duration::from_micros(70)])'
RICH = """display(Html::new("<b>bold</b>"));
display(Markdown::new("A *formula*: $S(n) = n$"));
display(Json::new(r#"{"threads": [1, 2, 4]}"#));"""
# Recorded from the first state that is drawn to the last.
RECORD = """() => {
  globalThis.barStates = [];
  const look = () => {
    const bar = document.querySelector('.jp-OutputArea-output progress');
    if (bar && barStates.at(-1) !== bar.value) { barStates.push(bar.value); }
    requestAnimationFrame(look);
  };
  look();
}"""


def results_and_pictures_are_shown(lab):
    lab.open_new('"computer".len()', TABLE, PLOT, RICH, "cores()")
    lab.run_all()
    assert lab.text(1) == "8", lab.text(1)
    rows = lab.output(2).locator("tr").all_inner_texts()
    assert [row.split("\t") for row in rows] == [["program", "time"], ["waits", "3.00 ms"], ["computes", "70.0 µs"]], rows
    [(width, height)] = sizes(lab, 3)
    assert width >= 400 and height >= 200, (width, height)
    assert lab.output(4).locator("b").inner_text() == "bold"
    # MathJax comes with the page, and is fetched when the first formula is there.
    lab.output(4).locator("mjx-container").wait_for()
    assert "threads" in lab.text(4)
    assert "usable" in lab.text(5), lab.text(5)


def a_progress_bar_moves(lab):
    lab.open_new("for _ in progress(0..40) { sleep(Duration::from_millis(50)); }")
    lab.page.evaluate(RECORD)
    lab.run_all()
    states = lab.page.evaluate("() => barStates")
    assert len(states) >= 4 and states == sorted(states) and states[-1] == 100, states
    assert "40 of 40" in lab.text(1), lab.text(1)


def dark_theme_is_legible(lab):
    lab.keep_settings()
    lab.open_new(TABLE, PLOT, "for _ in progress(0..3) { sleep(Duration::from_millis(60)); }", 'let length: f64 = "mom".len();')
    lab.run_all()
    everything_is_legible(lab)
    lab.picture("light")
    lab.menu("Settings", "Theme", "JupyterLab Dark")
    lab.page.locator("body[data-jp-theme-light='false']").wait_for(state="attached")
    everything_is_legible(lab)


def everything_is_legible(lab):
    """Contrasts as WCAG 2 counts them: 4.5 is what it asks of text, 3 of large text and of what is drawn.

    The drawings' own text has 4.3 and the coloured words of a failure, which are bold, have 3.1: hardly more than that there is on a light
    and on a dark ground at once, and neither drawings nor failures know the theme.
    """
    for index, least in [(1, 4.5), (3, 4.5), (4, 3)]:
        measured = contrasts_of_text(lab, index)
        assert measured and min(measured.values()) >= least, f"cell {index}: {measured}"
    texts, shapes = contrasts_in_drawing(lab, 2)
    assert texts and min(texts.values()) >= 4, texts
    assert shapes and max(shapes.values()) >= 3, shapes


if __name__ == "__main__":
    main(results_and_pictures_are_shown, a_progress_bar_moves, dark_theme_is_legible)
