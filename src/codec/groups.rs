//! The inner loops of packing: integers of one width, eight at a time, because eight of any width end with a byte.
//!
//! There is a loop for each width, so that every place and every shift in it is a constant.

/// How many integers a loop takes at a time.
pub(super) const GROUP: usize = 8;

/// The bytes a group may look at: as many as it has at the greatest width.
const WINDOW: usize = GROUP * size_of::<u64>();

/// Integers packed at a time, before their bytes are copied to where they belong.
const CHUNK: usize = 8 * GROUP;

/// Which end of an integer comes first.
pub(super) trait BitOrder {
    /// The integer at `place` of a group.
    fn take<const WIDTH: usize>(window: &[u8; WINDOW], place: usize) -> u64;

    /// Adds the integer at `place` of a group.
    fn put<const WIDTH: usize>(words: &mut [u64; GROUP], place: usize, integer: u64);

    fn bytes(word: u64) -> [u8; 8];
}

pub(super) enum LeastFirst {}

pub(super) enum MostFirst {}

impl BitOrder for LeastFirst {
    #[inline(always)]
    fn take<const WIDTH: usize>(window: &[u8; WINDOW], place: usize) -> u64 {
        let (byte, shift) = (place * WIDTH / 8, place * WIDTH % 8);
        let first = u64::from_le_bytes(eight(window, byte)) >> shift;
        // An integer of up to 64 bits that starts within a byte spans up to nine bytes.
        let spilled = if shift + WIDTH > 64 { u64::from(window[byte + 8]) << (64 - shift) } else { 0 };
        (first | spilled) & (u64::MAX >> (64 - WIDTH))
    }

    #[inline(always)]
    fn put<const WIDTH: usize>(words: &mut [u64; GROUP], place: usize, integer: u64) {
        let (word, shift) = (place * WIDTH / 64, place * WIDTH % 64);
        words[word] |= integer << shift;
        if shift + WIDTH > 64 {
            words[word + 1] |= integer >> (64 - shift);
        }
    }

    #[inline(always)]
    fn bytes(word: u64) -> [u8; 8] {
        word.to_le_bytes()
    }
}

impl BitOrder for MostFirst {
    #[inline(always)]
    fn take<const WIDTH: usize>(window: &[u8; WINDOW], place: usize) -> u64 {
        let (byte, shift) = (place * WIDTH / 8, place * WIDTH % 8);
        let first = (u64::from_be_bytes(eight(window, byte)) << shift) >> (64 - WIDTH);
        let spilled = (shift + WIDTH).saturating_sub(64);
        if spilled > 0 { first | u64::from(window[byte + 8] >> (8 - spilled)) } else { first }
    }

    #[inline(always)]
    fn put<const WIDTH: usize>(words: &mut [u64; GROUP], place: usize, integer: u64) {
        let (word, shift) = (place * WIDTH / 64, place * WIDTH % 64);
        let spilled = (shift + WIDTH).saturating_sub(64);
        if spilled > 0 {
            words[word] |= integer >> spilled;
            words[word + 1] |= integer << (64 - spilled);
        } else {
            words[word] |= integer << (64 - shift - WIDTH);
        }
    }

    #[inline(always)]
    fn bytes(word: u64) -> [u8; 8] {
        word.to_be_bytes()
    }
}

#[inline(always)]
fn eight(window: &[u8; WINDOW], start: usize) -> [u8; 8] {
    std::array::from_fn(|place| window[start + place])
}

/// Calls the function of a width; there is none for a width of zero and none above 64.
macro_rules! with_width {
    ($width:expr, $function:ident, $order:ty, $arguments:tt) => {
        with_width!($width, $function, $order, $arguments,
            1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32
            33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64)
    };
    ($width:expr, $function:ident, $order:ty, $arguments:tt, $($known:literal)*) => {
        match $width {
            $($known => $function::<$known, $order> $arguments,)*
            _ => {}
        }
    };
}

/// Appends what `integer` makes of `items`, in `width` bits, which must hold it.
pub(super) fn pack<Order: BitOrder, T: Copy>(items: &[T], integer: impl Fn(T) -> u64, width: u32, out: &mut Vec<u8>) {
    let mut bytes = [0; CHUNK * size_of::<u64>() + WINDOW];
    for chunk in items.chunks(CHUNK) {
        let mut groups = [[0; GROUP]; CHUNK / GROUP];
        for (slot, item) in groups.as_flattened_mut().iter_mut().zip(chunk) {
            *slot = integer(*item);
        }
        let groups = &groups[..chunk.len().div_ceil(GROUP)];
        pack_chunk::<Order>(groups, width, &mut bytes);
        out.extend_from_slice(&bytes[..(chunk.len() * width as usize).div_ceil(8)]);
    }
}

/// Apart from the above, so that the many loops are there once.
#[inline(never)]
fn pack_chunk<Order: BitOrder>(groups: &[[u64; GROUP]], width: u32, out: &mut [u8]) {
    with_width!(width, pack_groups, Order, (groups, out));
}

fn pack_groups<const WIDTH: usize, Order: BitOrder>(groups: &[[u64; GROUP]], mut out: &mut [u8]) {
    for group in groups {
        let mut words = [0; GROUP];
        for (place, &integer) in group.iter().enumerate() {
            Order::put::<WIDTH>(&mut words, place, integer);
        }
        // What is written beyond the group is overwritten by the next.
        let Some(window) = out.first_chunk_mut::<WINDOW>() else { return };
        for (bytes, word) in window.as_chunks_mut().0.iter_mut().zip(words).take(WIDTH.div_ceil(8)) {
            *bytes = Order::bytes(word);
        }
        out = &mut out[WIDTH..];
    }
}

/// Fills `out` with the first integers of `packed`, as their 64 bits. There must be that many.
#[inline(never)]
pub(super) fn unpack<Order: BitOrder>(packed: &[u8], width: u32, out: &mut [i64]) {
    with_width!(width, unpack_width, Order, (packed, out));
}

fn unpack_width<const WIDTH: usize, Order: BitOrder>(packed: &[u8], out: &mut [i64]) {
    let (groups, rest) = out.as_chunks_mut();
    // As many as have a whole window.
    let direct = (packed.len() + WIDTH).saturating_sub(WINDOW) / WIDTH;
    let (groups, last_groups) = groups.split_at_mut(direct.min(groups.len()));
    unpack_groups::<WIDTH, Order>(packed, groups);
    if last_groups.is_empty() && rest.is_empty() {
        return;
    }
    let mut padded = [0; 2 * WINDOW];
    let left = &packed[groups.len() * WIDTH..];
    let left = &left[..left.len().min(WINDOW)];
    padded[..left.len()].copy_from_slice(left);
    unpack_groups::<WIDTH, Order>(&padded, last_groups);
    let mut group = [[0; GROUP]];
    unpack_groups::<WIDTH, Order>(&padded[last_groups.len() * WIDTH..], &mut group);
    rest.copy_from_slice(&group.as_flattened()[..rest.len()]);
}

fn unpack_groups<const WIDTH: usize, Order: BitOrder>(mut packed: &[u8], groups: &mut [[i64; GROUP]]) {
    for group in groups {
        let Some(window) = packed.first_chunk::<WINDOW>() else { return };
        *group = std::array::from_fn(|place| Order::take::<WIDTH>(window, place) as i64);
        packed = &packed[WIDTH..];
    }
}
