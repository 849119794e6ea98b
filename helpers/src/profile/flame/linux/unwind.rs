//! Unwinds a copied stack with the tables that exceptions use.

use super::modules::Modules;
use super::sampler::Registers;
use gimli::{
    BaseAddresses, CfaRule, EhFrame, Register, RegisterRule, UnwindContext, UnwindSection,
};

/// Deeper than any useful stack of 64 KiB.
const DEEPEST: usize = 1024;
const STACK_POINTER: usize = 7;
const RETURN_ADDRESS: usize = 16;

pub struct Unwinder {
    modules: Modules,
    context: Box<UnwindContext<usize>>,
}

impl Unwinder {
    pub fn new(modules: Modules) -> Unwinder {
        Unwinder { modules, context: Box::new(UnwindContext::new()) }
    }

    pub fn into_modules(self) -> Modules {
        self.modules
    }

    /// The addresses of the calls, innermost first. Ends early if the tables have no entry.
    pub fn walk(&mut self, registers: &Registers, stack: &[u8]) -> Vec<u64> {
        let start = registers[STACK_POINTER];
        let read = |address: u64| {
            let at = usize::try_from(address.checked_sub(start)?).ok()?;
            Some(u64::from_ne_bytes(stack.get(at..at.checked_add(8)?)?.try_into().ok()?))
        };
        let mut registers = *registers;
        let mut frames = vec![registers[RETURN_ADDRESS]];
        while frames.len() < DEEPEST {
            let before = registers[STACK_POINTER];
            match self.step(&registers, frames.len() > 1, read) {
                // Calls are stored one above the other; anything else would be an endless loop.
                Some(caller) if caller[RETURN_ADDRESS] != 0 && caller[STACK_POINTER] > before => {
                    registers = caller
                }
                _ => break,
            }
            frames.push(registers[RETURN_ADDRESS]);
        }
        frames
    }

    /// The registers of the caller.
    fn step(
        &mut self,
        registers: &Registers,
        is_caller: bool,
        read: impl Fn(u64) -> Option<u64>,
    ) -> Option<Registers> {
        // A return address may be the first one after the function, if the call was its last
        // instruction.
        let address = registers[RETURN_ADDRESS].checked_sub(u64::from(is_caller))?;
        let tables = self.modules.find(address)?.tables.as_ref()?;
        let frame = EhFrame::new(tables.eh_frame, gimli::NativeEndian);
        let header = gimli::EhFrameHdr::new(tables.header, gimli::NativeEndian);
        let bases = BaseAddresses::default()
            .set_eh_frame_hdr(tables.header_address)
            .set_eh_frame(tables.eh_frame_address);
        let header = header.parse(&bases, 8).ok()?;
        let row = header
            .table()?
            .unwind_info_for_address(
                &frame,
                &bases,
                &mut self.context,
                address,
                EhFrame::cie_from_offset,
            )
            .ok()?;
        let value = |register: Register| registers.get(usize::from(register.0)).copied();
        let CfaRule::RegisterAndOffset { register, offset } = row.cfa() else {
            // Computed, as in the stubs that call libraries.
            return None;
        };
        let cfa = value(*register)?.checked_add_signed(*offset)?;
        let mut caller = *registers;
        caller[STACK_POINTER] = cfa;
        for (number, found) in caller.iter_mut().enumerate().take(RETURN_ADDRESS + 1) {
            if number == STACK_POINTER {
                continue;
            }
            *found = match row.register(Register(number as u16)) {
                None | Some(RegisterRule::SameValue) if number != RETURN_ADDRESS => continue,
                Some(RegisterRule::Offset(offset)) => read(cfa.checked_add_signed(offset)?)?,
                Some(RegisterRule::ValOffset(offset)) => cfa.checked_add_signed(offset)?,
                Some(RegisterRule::Register(other)) => value(other)?,
                // The outermost function of a thread has no return address.
                _ if number == RETURN_ADDRESS => return None,
                _ => continue,
            };
        }
        Some(caller)
    }
}
