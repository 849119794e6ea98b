//! A PNG file with up to 256 colours, for heat maps.

use super::canvas::Colour;
use miniz_oxide::deflate::compress_to_vec_zlib;

/// Encodes rows of palette indices, one byte per pixel; the palette's last colour is transparent if
/// `last_is_transparent`.
pub(super) fn encode(
    width: usize,
    indices: &[u8],
    palette: &[Colour],
    last_is_transparent: bool,
) -> Vec<u8> {
    let height = indices.len() / width;
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = Vec::new();
    header.extend((width as u32).to_be_bytes());
    header.extend((height as u32).to_be_bytes());
    // Eight bits per pixel, palette, default compression and filter methods, not interlaced.
    header.extend([8, 3, 0, 0, 0]);
    chunk(&mut file, b"IHDR", &header);
    chunk(
        &mut file,
        b"PLTE",
        &palette.iter().flat_map(|colour| [colour.0, colour.1, colour.2]).collect::<Vec<u8>>(),
    );
    if last_is_transparent {
        let mut opacity = vec![255; palette.len()];
        opacity[palette.len() - 1] = 0;
        chunk(&mut file, b"tRNS", &opacity);
    }
    let mut rows = Vec::with_capacity(indices.len() + height);
    for row in indices.chunks(width) {
        // Each row starts with the number of its filter: none.
        rows.push(0);
        rows.extend_from_slice(row);
    }
    chunk(&mut file, b"IDAT", &compress_to_vec_zlib(&rows, 6));
    chunk(&mut file, b"IEND", &[]);
    file
}

/// Length, name, content, checksum of name and content.
fn chunk(file: &mut Vec<u8>, name: &[u8; 4], content: &[u8]) {
    file.extend((content.len() as u32).to_be_bytes());
    let start = file.len();
    file.extend(name);
    file.extend(content);
    let checksum = crc32(&file[start..]);
    file.extend(checksum.to_be_bytes());
}

/// CRC-32 as in Annex D of the PNG specification.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut index = 0;
        while index < 256 {
            let mut value = index as u32;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 { 0xedb8_8320 ^ (value >> 1) } else { value >> 1 };
                bit += 1;
            }
            table[index] = value;
            index += 1;
        }
        table
    };
    !bytes.iter().fold(u32::MAX, |checksum, &byte| {
        TABLE[((checksum ^ u32::from(byte)) & 255) as usize] ^ (checksum >> 8)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of CRC-32/ISO-HDLC.
    #[test]
    fn checksum() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn file_has_its_chunks_and_its_pixels() {
        let file = encode(2, &[0, 1, 1, 0], &[Colour::BLACK, Colour::WHITE], true);
        assert_eq!(&file[..8], b"\x89PNG\r\n\x1a\n");
        assert_eq!(
            (&file[12..16], &file[16..24]),
            (b"IHDR".as_slice(), [0, 0, 0, 2, 0, 0, 0, 2].as_slice())
        );
        let at = file.windows(4).position(|name| name == b"IDAT").unwrap();
        let length = u32::from_be_bytes(file[at - 4..at].try_into().unwrap()) as usize;
        let rows =
            miniz_oxide::inflate::decompress_to_vec_zlib(&file[at + 4..at + 4 + length]).unwrap();
        assert_eq!(rows, [0, 0, 1, 0, 1, 0]);
        assert_eq!(&file[file.len() - 12..], b"\0\0\0\0IEND\xae\x42\x60\x82");
    }
}
