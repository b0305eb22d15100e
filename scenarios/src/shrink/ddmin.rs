//! Delta debugging (ddmin: Zeller, Hildebrandt, "Simplifying and isolating failure-inducing input", 2002): a smallest part
//! of some items that still fails, in the sense that no single one can be left out.

/// The least part found of `items`. `first` is given parts in order of preference, and answers which of them is the first
/// that still fails; the whole does. `None` ends the search where it has no time left, too.
pub(super) fn minimise<T: Clone>(
    items: Vec<T>,
    first: &mut impl FnMut(&[Vec<T>]) -> Option<usize>,
) -> Vec<T> {
    let mut items = items;
    if items.is_empty() || first(&[Vec::new()]).is_some() {
        return Vec::new();
    }
    let mut pieces = 2;
    while items.len() > 1 {
        let size = items.len().div_ceil(pieces);
        let mut parts: Vec<Vec<T>> = items.chunks(size).map(<[T]>::to_vec).collect();
        let count = parts.len();
        // With two pieces, each is the other's complement.
        if count > 2 {
            for left_out in 0..count {
                let (start, end) = (left_out * size, (left_out * size + size).min(items.len()));
                parts.push([&items[..start], &items[end..]].concat());
            }
        }
        match first(&parts) {
            Some(part) => {
                pieces = if part < count { 2 } else { (count - 1).max(2) };
                items = parts.swap_remove(part);
            }
            None if count == items.len() => break,
            None => pieces = (pieces * 2).min(items.len()),
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Minimises 0..100 where the whole fails by `fails`; returns the rest and how many parts were looked at.
    fn rest(count: u32, fails: impl Fn(&[u32]) -> bool) -> (Vec<u32>, usize) {
        let mut looks = 0;
        let rest = minimise((0..count).collect(), &mut |parts: &[Vec<u32>]| {
            let found = parts.iter().position(|part| fails(part));
            looks += found.map_or(parts.len(), |found| found + 1);
            found
        });
        (rest, looks)
    }

    #[test]
    fn exactly_what_is_needed_is_left() {
        assert_eq!(rest(100, |_| true).0, [0u32; 0]);
        assert_eq!(rest(1, |part| part.contains(&0)).0, [0]);
        let (one, looks) = rest(100, |part| part.contains(&63));
        assert_eq!(one, [63]);
        assert!(looks < 20, "{looks} looks for one of a hundred");
        let (three, looks) = rest(100, |part| [3, 50, 99].iter().all(|each| part.contains(each)));
        assert_eq!(three, [3, 50, 99]);
        assert!(looks < 150, "{looks} looks for three of a hundred");
        assert_eq!(rest(8, |part| part.len() == 8).0.len(), 8);
    }

    #[test]
    fn of_what_is_left_nothing_can_be_left_out() {
        let fails = |part: &[u32]| part.len() >= 7 && part.iter().sum::<u32>() % 3 == 0;
        let (rest, _) = rest(22, fails);
        assert!(fails(&rest));
        for left_out in 0..rest.len() {
            let mut less = rest.clone();
            less.remove(left_out);
            assert!(!fails(&less), "{less:?}");
        }
    }
}
