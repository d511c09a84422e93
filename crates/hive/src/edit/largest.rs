//! A number for each page, with a fast search for the first page from a given page on that has a
//! large enough number.

/// A tree of the numbers of all pages: each node is the larger of its two children.
pub(super) struct Largest {
    /// The root is at 1, the children of `n` are at `2 n` and `2 n + 1`, and the pages' numbers are
    /// in the second half.
    nodes: Vec<u32>,
}

impl Largest {
    /// All numbers zero, for `pages` pages.
    pub(super) fn new(pages: usize) -> Self {
        Self {
            nodes: vec![0; 2 * pages.next_power_of_two()],
        }
    }

    fn leaves(&self) -> usize {
        self.nodes.len() / 2
    }

    /// The number of a node; 0, that of a page without a free cell, if there is no such node.
    fn node(&self, at: usize) -> u32 {
        self.nodes.get(at).map_or(0, |number| *number)
    }

    /// Makes room for `pages` pages.
    pub(super) fn grow(&mut self, pages: usize) {
        if pages <= self.leaves() {
            return;
        }
        let mut grown = Self::new(pages);
        for page in 0..self.leaves() {
            grown.set(page, self.node(self.leaves() + page));
        }
        *self = grown;
    }

    /// Sets the number of a page.
    pub(super) fn set(&mut self, page: usize, number: u32) {
        let mut at = self.leaves() + page;
        let mut number = number;
        while let Some(node) = self.nodes.get_mut(at).filter(|node| **node != number) {
            *node = number;
            number = number.max(self.node(at ^ 1));
            at /= 2;
            if at == 0 {
                break;
            }
        }
    }

    /// The first page from `page` on with a number of at least `number`, which is not 0.
    pub(super) fn first_from(&self, page: usize, number: u32) -> Option<usize> {
        let leaves = self.leaves();
        if page >= leaves {
            return None;
        }
        let mut at = leaves + page;
        while self.node(at) < number {
            // The next subtree to the right; above the root there is none.
            while at % 2 == 1 {
                at /= 2;
            }
            if at == 0 {
                return None;
            }
            at += 1;
        }
        while at < leaves {
            at *= 2;
            if self.node(at) < number {
                at += 1;
            }
        }
        Some(at - leaves)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_same_page_as_a_search_of_all_pages() {
        for pages in [1, 2, 3, 8, 21] {
            let mut tree = Largest::new(1);
            tree.grow(pages);
            let mut plain = vec![0; pages];
            for step in 0..200_usize {
                let (page, number) = (step * 7 % pages, (step * step % 13) as u32);
                tree.set(page, number);
                plain[page] = number;
                let (from, wanted) = (step * 5 % pages, 1 + step as u32 % 12);
                let expected = (from..pages).find(|&page| plain[page] >= wanted);
                assert_eq!(tree.first_from(from, wanted), expected, "{plain:?}");
            }
        }
    }

    #[test]
    fn numbers_are_kept_when_it_grows() {
        let mut tree = Largest::new(3);
        tree.set(2, 5);
        tree.grow(100);
        tree.set(99, 9);
        assert_eq!(tree.first_from(0, 1), Some(2));
        assert_eq!(tree.first_from(0, 6), Some(99));
        assert_eq!(tree.first_from(100, 1), None);
    }
}
