//! The methods of [`Plot`] that show and save it.

use super::frame::SIZE;
use super::image::Image;
use super::{Plot, bars, draw, gantt};
use crate::display::{Bundle, Png, Rich, Svg};
use std::io;
use std::path::Path;

impl Plot {
    /// The chart as an SVG drawing.
    pub fn to_svg(&self) -> Svg {
        Svg::new(draw::svg(self))
    }

    /// The pixels of an [`image`](fn@super::image) alone, one per value, without axes; `None` for
    /// other charts.
    pub fn to_png(&self) -> Option<Png> {
        self.image.as_ref().map(|image| image.to_png(usize::MAX, &self.colours))
    }

    /// Saves the chart to a file: as a drawing (`.svg`), or the pixels of an
    /// [`image`](fn@super::image) (`.png`).
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be written, or its name ends differently.
    pub fn save(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.save_to(path.as_ref())
    }

    fn save_to(&self, path: &Path) -> io::Result<()> {
        let refused = |cause: &str| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("failed to save the chart as `{}`: {cause}", path.display()),
            )
        };
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("svg") => std::fs::write(path, draw::svg(self)),
            Some("png") => match self.to_png() {
                Some(png) => std::fs::write(path, png.bytes()),
                None => Err(refused("only an image has pixels; save other charts as `.svg`")),
            },
            _ => Err(refused("the name should end in `.svg`")),
        }
    }

    /// Called by the kernel for the last expression of a cell.
    pub fn evcxr_display(&self) {
        self.bundle().evcxr_display();
    }

    /// Shows it now, like [`display`](crate::display::display).
    pub fn show(&self) {
        crate::display::display(self);
    }

    /// Width and height; unless set, they depend on what is drawn.
    pub(super) fn pixels(&self) -> (u32, u32) {
        if let Some(size) = self.size {
            return size;
        }
        let title = if self.title.is_empty() { 0 } else { 26 };
        if let Some(tasks) = &self.gantt {
            return (SIZE.0, (title + 90 + 28 * gantt::rows(tasks) as u32).clamp(140, 1200));
        }
        if bars::are_horizontal(self) {
            let count = self.bars.as_ref().map_or(0, |bars| bars.labels.len());
            return (SIZE.0, (title + 60 + 28 * count as u32).clamp(140, 1200));
        }
        if let Some((width, height)) = self.image.as_ref().map(Image::size) {
            // Space for axis and colour bar; an image twice as wide as high needs half the height.
            let wanted = 540.0 * height as f64 / width as f64;
            return (SIZE.0, title + 50 + (wanted as u32).clamp(120, 480));
        }
        SIZE
    }

    /// The chart as text, for front ends without images.
    fn text(&self) -> String {
        let labels = self.series.iter().map(|series| series.label.as_str());
        let mut parts: Vec<&str> = Vec::new();
        for part in [self.title.as_str()].into_iter().chain(labels).filter(|part| !part.is_empty())
        {
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
        if parts.is_empty() { "[chart]".into() } else { format!("[chart: {}]", parts.join(", ")) }
    }
}

impl Rich for Plot {
    fn bundle(&self) -> Bundle {
        Bundle::plain(self.text()).with("image/svg+xml", draw::svg(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::{image, line};

    #[test]
    fn anything_with_numbers_can_be_drawn() {
        let vector = vec![1_u32, 2, 3];
        let chart = Plot::new()
            .line("a", &vector, &[0.5, 1.5, 2.5])
            .points("b", 0..3, vector.iter().map(|x| x * x))
            .ideal("c", [1_i64, 2, 3], vector.as_slice());
        assert_eq!(chart.text(), "[chart: a, b, c]");
        assert_eq!(chart.clone().title("t").text(), "[chart: t, a, b, c]");
        assert!(chart.bundle().get("image/svg+xml").is_some());
    }

    #[test]
    fn charts_are_saved() {
        let folder = std::env::temp_dir().join(format!("parcourse-plot-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        line([1, 2], [3, 4]).save(folder.join("a.svg")).unwrap();
        assert!(std::fs::read_to_string(folder.join("a.svg")).unwrap().starts_with("<svg"));
        image(1, [1, 2]).save(folder.join("a.png")).unwrap();
        assert!(std::fs::read(folder.join("a.png")).unwrap().starts_with(b"\x89PNG"));
        let refused = line([1, 2], [3, 4]).save(folder.join("b.png")).unwrap_err().to_string();
        assert!(refused.contains("only an image has pixels"), "{refused}");
        assert!(
            line([1, 2], [3, 4])
                .save("a.gif")
                .unwrap_err()
                .to_string()
                .contains("should end in `.svg`")
        );
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
