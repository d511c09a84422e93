use super::*;

/// A bin at `start` that consists of cells of these sizes; negative ones are allocated.
fn bin(start: usize, cells: &[i32]) -> Vec<u8> {
    let mut bin = b"hbin".to_vec();
    bin.extend((start as u32).to_le_bytes());
    let len: usize = cells.iter().map(|size| size.unsigned_abs() as usize).sum();
    bin.extend((len as u32 + 32).to_le_bytes());
    bin.resize(32, 0);
    for size in cells {
        let end = bin.len() + size.unsigned_abs() as usize;
        bin.extend(size.to_le_bytes());
        bin.resize(end, 0);
    }
    assert!(bin.len().is_multiple_of(PAGE_LEN), "{}", bin.len());
    bin
}

fn read(data: &[u8]) -> FreeMap {
    let mut map = FreeMap::new(data);
    while map.read_more(data).expect("tiled") {}
    map
}

impl FreeMap {
    /// Compares the map with a newly made one.
    pub(in crate::edit) fn assert_is_right(&self, data: &[u8]) {
        let fresh = read(data);
        for (page, known) in self.pages.iter().enumerate() {
            if known.is_read() {
                assert_eq!(*known, fresh.page(page), "page {page}");
                let size = |map: &Self| map.best_of(data, page);
                assert_eq!(size(self), size(&fresh), "page {page}");
            }
        }
    }

    /// The size of the largest free cell of a page, which the tree must contain.
    fn best_of(&self, data: &[u8], page: usize) -> u32 {
        let free = self.cells(data, page).filter(|cell| cell.free);
        let largest = free.map(|cell| cell.len).max().unwrap_or_default();
        let held = (largest > 0).then(|| self.largest.first_from(page, largest));
        assert!(held.is_none_or(|held| held == Some(page)), "page {page}");
        assert_ne!(self.largest.first_from(page, largest + 1), Some(page));
        largest
    }
}

#[test]
fn neighbours_are_found_but_not_across_bins() {
    let mut data = bin(0, &[32, -4000, 32]);
    data.extend(bin(4096, &[-8, 40, -8_072, -32 - 8]));
    data.extend(bin(4096 + 8192, &[-4064]));
    let map = read(&data);
    assert_eq!(map.free_before(&data, 64).expect("a cell"), Some(32));
    assert_eq!(map.free_at(&data, 4064), Some(32));
    assert_eq!(map.free_at(&data, 4096), None, "a bin's header");
    assert_eq!(map.free_before(&data, 4128).expect("a cell"), None);
    // No cell starts in the page before that of the last cell.
    assert_eq!(
        map.free_before(&data, 4096 + 32 + 48).expect("a cell"),
        Some(4136)
    );
    assert_eq!(
        map.free_before(&data, 4096 + 8192 - 40).expect("a cell"),
        None
    );
    assert!(map.free_before(&data, 72).is_err(), "a place inside a cell");
}

#[test]
fn a_cell_in_a_changed_page_is_preferred_then_a_large_one() {
    let mut data = bin(0, &[64, -4000]);
    data.extend(bin(4096, &[48, -3976, 40]));
    data.extend(bin(8192, &[2000, -64, 1104, -896]));
    let map = read(&data);
    let find = |size, page| map.find(&data, size, |changed| changed == page);
    assert_eq!(find(24, 1), Some((8152, 40)));
    assert_eq!(find(48, 1), Some((4128, 48)));
    assert_eq!(find(24, 7), Some((8192 + 32 + 2064, 1104)));
    assert_eq!(find(2008, 1), None);
}

/// The data of a value may look like the header of a bin.
#[test]
fn data_that_look_like_a_bin_are_not_taken_for_one() {
    let mut data = bin(0, &[-12_256]);
    data[4096..8192].copy_from_slice(&bin(4096, &[4064]));
    let map = read(&data);
    assert_eq!(map.find(&data, 8, |_| false), None);
}

#[test]
fn a_bin_or_a_cell_that_does_not_fit_is_an_error_only_once_it_is_read() {
    let mut data = bin(0, &[4064]);
    data.extend(bin(4096, &[-4064]));
    data.extend(bin(8192, &[-4064]));
    data[4096] = b'x';
    let mut map = FreeMap::new(&data);
    map.read_bin_of(&data, 32).expect("sound");
    assert!(map.read_bin_of(&data, 8192 + 32).is_err());
    data[4096] = b'h';
    data[4128..4132].copy_from_slice(&(-4072_i32).to_le_bytes());
    let mut map = FreeMap::new(&data);
    assert!(map.read_more(&data).expect("the last"));
    assert!(map.read_more(&data).is_err());
}
