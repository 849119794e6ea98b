//! The program and the libraries it has loaded, every notebook cell among them.

use super::super::names::learners_name;
use super::elf::Elf;
use std::collections::{BTreeSet, HashMap};
use std::ffi::{CStr, CString};
use std::path::PathBuf;

/// The loaded files, kept loaded so that their tables can be read.
pub struct Modules {
    modules: Vec<Module>,
    handles: Vec<usize>,
}

/// One loaded file.
pub struct Module {
    /// The offset from an address in the file to one in memory.
    base: u64,
    /// Its code segments in memory.
    code: Vec<(u64, u64)>,
    pub tables: Option<Tables>,
    file: PathBuf,
}

/// The tables for unwinding, in memory.
pub struct Tables {
    pub header: &'static [u8],
    pub header_address: u64,
    pub eh_frame: &'static [u8],
    pub eh_frame_address: u64,
}

struct Found {
    name: CString,
    base: u64,
    segments: Vec<libc::Elf64_Phdr>,
}

impl Modules {
    /// Everything that is loaded now.
    pub fn loaded() -> Modules {
        let mut found: Vec<Found> = Vec::new();
        // SAFETY: the callback gets our vector and the loader's own records, and copies from these
        // during the call only.
        unsafe { libc::dl_iterate_phdr(Some(add), (&raw mut found).cast()) };
        let (mut modules, mut handles) = (Vec::new(), Vec::new());
        for (index, Found { name, base, segments }) in found.into_iter().enumerate() {
            // The first is the program itself, which has no name.
            let file = if index == 0 {
                PathBuf::from("/proc/self/exe")
            } else {
                // SAFETY: a valid string; with RTLD_NOLOAD nothing is loaded and no code runs.
                let handle =
                    unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOLOAD | libc::RTLD_LAZY) };
                if handle.is_null() {
                    // The kernel's own page is not a file.
                    continue;
                }
                handles.push(handle as usize);
                PathBuf::from(name.to_string_lossy().into_owned())
            };
            modules.push(Module::new(base, file, &segments));
        }
        Modules { modules, handles }
    }

    pub fn find(&self, address: u64) -> Option<&Module> {
        self.modules.iter().find(|module| module.contains(address))
    }

    /// The function at every address; before it the functions that were inlined there, innermost
    /// first.
    pub fn names(&self, addresses: &BTreeSet<u64>) -> HashMap<u64, Vec<String>> {
        let mut names = HashMap::new();
        let mut left = addresses.clone();
        for module in &self.modules {
            let own: Vec<u64> =
                left.iter().copied().filter(|address| module.contains(*address)).collect();
            if !own.is_empty() {
                own.iter().for_each(|address| assert!(left.remove(address)));
                names.extend(module.names(&own));
            }
        }
        // Neither the program nor a library: the page that the kernel maps for reading the clock.
        names.extend(left.into_iter().map(|address| (address, vec!["[vdso]".to_owned()])));
        names
    }
}

impl Drop for Modules {
    fn drop(&mut self) {
        for handle in &self.handles {
            // SAFETY: the handle comes from dlopen and is closed once.
            unsafe { libc::dlclose(*handle as *mut libc::c_void) };
        }
    }
}

unsafe extern "C" fn add(
    info: *mut libc::dl_phdr_info,
    _: usize,
    data: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: the loader passes a valid record and our own pointer to the vector.
    unsafe {
        let (info, found) = (&*info, &mut *data.cast::<Vec<Found>>());
        let segments =
            std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)).to_vec();
        found.push(Found {
            name: CStr::from_ptr(info.dlpi_name).to_owned(),
            base: info.dlpi_addr,
            segments,
        });
    }
    0
}

impl Module {
    fn new(base: u64, file: PathBuf, segments: &[libc::Elf64_Phdr]) -> Module {
        let range = |segment: &libc::Elf64_Phdr| {
            (base + segment.p_vaddr, base + segment.p_vaddr + segment.p_memsz)
        };
        let loaded = || segments.iter().filter(|segment| segment.p_type == libc::PT_LOAD);
        let code =
            loaded().filter(|segment| segment.p_flags & libc::PF_X != 0).map(range).collect();
        let tables = segments
            .iter()
            .find(|segment| segment.p_type == libc::PT_GNU_EH_FRAME)
            .map(range)
            .and_then(|(start, end)| {
                let slice = |start: u64, end: u64| {
                    // SAFETY: a loaded, read-only segment of a file that `Modules` keeps loaded;
                    // the names and tables made from it do not outlive the session.
                    unsafe {
                        std::slice::from_raw_parts(start as *const u8, (end - start) as usize)
                    }
                };
                let header = slice(start, end);
                let bases = gimli::BaseAddresses::default().set_eh_frame_hdr(start);
                let parsed =
                    gimli::EhFrameHdr::new(header, gimli::NativeEndian).parse(&bases, 8).ok()?;
                let gimli::Pointer::Direct(eh_frame_address) = parsed.eh_frame_ptr() else {
                    return None;
                };
                // Its length is not stored; it ends with the segment at the latest.
                let (_, end) = loaded()
                    .map(range)
                    .find(|(start, end)| (*start..*end).contains(&eh_frame_address))?;
                Some(Tables {
                    header,
                    header_address: start,
                    eh_frame: slice(eh_frame_address, end),
                    eh_frame_address,
                })
            });
        Module { base, code, tables, file }
    }

    fn contains(&self, address: u64) -> bool {
        self.code.iter().any(|(start, end)| (*start..*end).contains(&address))
    }

    /// Reads the file and looks up addresses in it.
    fn names(&self, addresses: &[u64]) -> Vec<(u64, Vec<String>)> {
        let bytes = std::fs::read(&self.file).unwrap_or_default();
        let elf = Elf::parse(&bytes);
        let unknown = format!("[{}]", self.file.file_name().unwrap_or_default().to_string_lossy());
        let look_up = |address: u64| {
            let names = elf.as_ref().map(|elf| elf.names(address - self.base)).unwrap_or_default();
            if names.is_empty() {
                return vec![unknown.clone()];
            }
            names
                .iter()
                .map(|name| learners_name(&format!("{:#}", rustc_demangle::demangle(name))))
                .collect()
        };
        addresses.iter().map(|address| (*address, look_up(*address))).collect()
    }
}
