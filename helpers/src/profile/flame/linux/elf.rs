//! An ELF file: its sections, its symbols and, if there is any, its debug information.

use addr2line::{Context, LookupResult};
use gimli::{EndianSlice, NativeEndian};

type Reader<'a> = EndianSlice<'a, NativeEndian>;

pub struct Elf<'a> {
    /// Start, end and name of functions, sorted by start.
    symbols: Vec<(u64, u64, String)>,
    context: Option<Context<Reader<'a>>>,
}

struct Section {
    kind: u32,
    name: u32,
    flags: u64,
    offset: u64,
    size: u64,
    link: u32,
}

/// A number at an offset of a little-endian file.
fn number(bytes: &[u8], at: usize, size: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(size)?)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

impl<'a> Elf<'a> {
    /// `None` if it is not a file that a 64-bit Linux would load.
    pub fn parse(bytes: &'a [u8]) -> Option<Elf<'a>> {
        if !bytes.starts_with(b"\x7fELF\x02\x01") {
            return None;
        }
        let table = number(bytes, 0x28, 8)? as usize;
        let (size, count, names) = (
            number(bytes, 0x3a, 2)? as usize,
            number(bytes, 0x3c, 2)? as usize,
            number(bytes, 0x3e, 2)? as usize,
        );
        let sections: Vec<Section> = (0..count)
            .map(|index| {
                let at = table.checked_add(index * size)?;
                Some(Section {
                    name: number(bytes, at, 4)? as u32,
                    kind: number(bytes, at + 4, 4)? as u32,
                    flags: number(bytes, at + 8, 8)?,
                    offset: number(bytes, at + 0x18, 8)?,
                    size: number(bytes, at + 0x20, 8)?,
                    link: number(bytes, at + 0x28, 4)? as u32,
                })
            })
            .collect::<Option<_>>()?;
        let content = |section: &Section| {
            bytes.get(section.offset as usize..(section.offset.checked_add(section.size)?) as usize)
        };
        let string = |table: &[u8], at: usize| {
            let text = table.get(at..)?.split(|byte| *byte == 0).next()?;
            Some(String::from_utf8_lossy(text).into_owned())
        };
        // SHT_SYMTAB, or what remains in a stripped file: SHT_DYNSYM.
        let table =
            [2, 11].iter().find_map(|kind| sections.iter().find(|section| section.kind == *kind));
        let mut symbols = Vec::new();
        if let Some((entries, strings)) = table
            .and_then(|table| Some((content(table)?, content(sections.get(table.link as usize)?)?)))
        {
            for entry in entries.chunks_exact(24) {
                let is_function = matches!(entry[4] & 0xf, 2 | 10);
                let (name, start, size) =
                    (number(entry, 0, 4)? as usize, number(entry, 8, 8)?, number(entry, 16, 8)?);
                if is_function && start != 0 {
                    symbols.push((start, start + size, string(strings, name)?));
                }
            }
        }
        symbols.sort();
        let section_names = content(sections.get(names)?)?;
        // Compressed sections (flag 0x800) would need a library; rustc writes them only on request.
        let debug = |wanted: &str| {
            let is_it = |section: &&Section| {
                section.flags & 0x800 == 0
                    && section.kind != 8
                    && string(section_names, section.name as usize).as_deref() == Some(wanted)
            };
            let bytes = sections.iter().find(is_it).and_then(content).unwrap_or_default();
            Reader::new(bytes, NativeEndian)
        };
        let has_debug = sections.iter().any(|section| {
            string(section_names, section.name as usize).as_deref() == Some(".debug_info")
        });
        let context = has_debug
            .then(|| gimli::Dwarf::load(|id| Ok::<_, gimli::Error>(debug(id.name()))).ok())
            .flatten()
            .and_then(|dwarf| Context::from_dwarf(dwarf).ok());
        Some(Elf { symbols, context })
    }

    /// Names at an address of the file: first the program's own functions that were inlined, last
    /// the function as the linker knows it.
    ///
    /// Line tables name inlined functions without their path, so they do not distinguish a
    /// library's function from a learner's. The source files do; the time of an inlined library
    /// function counts for its caller.
    pub fn names(&self, address: u64) -> Vec<String> {
        let Some(symbol) = self.symbol(address) else { return Vec::new() };
        let mut names =
            self.context.as_ref().and_then(|context| inlined(context, address)).unwrap_or_default();
        names.push(symbol);
        names
    }

    fn symbol(&self, address: u64) -> Option<String> {
        let index = self.symbols.partition_point(|(start, ..)| *start <= address);
        let (_, end, name) = self.symbols.get(index.checked_sub(1)?)?;
        (address < *end).then(|| name.clone())
    }
}

fn inlined(context: &Context<Reader<'_>>, address: u64) -> Option<Vec<String>> {
    let mut frames = match context.find_frames(address) {
        LookupResult::Output(frames) => frames.ok()?,
        // Debug information in yet another file.
        LookupResult::Load { .. } => return None,
    };
    let mut names = Vec::new();
    while let Ok(Some(frame)) = frames.next() {
        let file = frame.location.and_then(|location| location.file).unwrap_or_default();
        let is_library = ["/rustc/", "/library/", "/registry/", "/git/checkouts/"]
            .iter()
            .any(|part| file.contains(part));
        let name = frame.function.and_then(|function| Some(function.raw_name().ok()?.into_owned()));
        names.push((!is_library).then_some(name).flatten());
    }
    // The last one is the function itself.
    names.pop();
    Some(names.into_iter().flatten().map(|name| bare(&name).to_owned()).collect())
}

/// A name without its generic arguments: `step<f64>` is `step`.
fn bare(name: &str) -> &str {
    match name.find('<') {
        Some(start) if start > 0 => &name[..start],
        _ => name,
    }
}
