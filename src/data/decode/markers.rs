//! The markers of a JPEG file: what it is, where it ends, and what its decoder would get wrong.

/// The most scans that a file may have. Files from programs have some ten; each makes the decoder pass over all pixels.
const MAX_SCANS: usize = 500;

/// One component of the frame, such as luma.
#[derive(Clone, Copy, Debug)]
struct Component {
    id: u8,
    /// Horizontal and vertical sampling factors.
    sampling: [u8; 2],
    /// A bit for each coefficient that some scan has brought to full precision.
    finished: u64,
    /// Whether some scan holds this component alone.
    alone: bool,
}

/// What the markers of a JPEG file say, from its start to its first end marker.
#[derive(Debug, Default)]
pub(super) struct Markers {
    /// Width and height, in pixels; `None` without a frame header.
    pub size: Option<[u16; 2]>,
    /// The second byte of the frame's marker, which is the kind of coding.
    coding: u8,
    components: Vec<Component>,
    scans: usize,
    jfif: bool,
    /// The colour transform that Adobe's marker names.
    adobe: Option<u8>,
    /// Whether there is an end marker.
    pub ended: bool,
}

/// How the components make colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colours {
    Grey,
    Rgb,
    YCbCr,
    Cmyk,
    Ycck,
}

impl Markers {
    /// Walks over the markers up to the first end of an image: what is behind it, such as a video, is another's.
    pub fn of(jpeg: &[u8]) -> Self {
        let mut markers = Self::default();
        let mut at = 0;
        while let Some((marker, start)) = next_marker(jpeg, at) {
            at = start;
            match marker {
                0xd9 => {
                    markers.ended = true;
                    break;
                }
                // Start, restart and the like have no content.
                0x01 | 0xd0..=0xd8 => continue,
                _ => {}
            }
            let Some(length) = jpeg.get(at..at + 2).map(|of| usize::from(u16::from_be_bytes([of[0], of[1]])))
            else {
                break;
            };
            let Some(segment) = jpeg.get(at + 2..at + length) else { break };
            markers.take(marker, segment);
            at += length;
        }
        markers
    }

    fn take(&mut self, marker: u8, segment: &[u8]) {
        match (marker, segment) {
            // All kinds of frames; the three left out are tables and an extension.
            (0xc0..=0xcf, &[_, h0, h1, w0, w1, count, ref components @ ..])
                if !matches!(marker, 0xc4 | 0xc8 | 0xcc) && self.size.is_none() =>
            {
                self.coding = marker;
                self.size = Some([u16::from_be_bytes([w0, w1]), u16::from_be_bytes([h0, h1])]);
                let of = |c: &[u8]| Component {
                    id: c[0],
                    sampling: [c[1] >> 4, c[1] & 15],
                    finished: 0,
                    alone: false,
                };
                self.components = components.chunks_exact(3).take(usize::from(count)).map(of).collect();
            }
            (0xda, &[count, ref rest @ ..]) => {
                self.scans += 1;
                let (Some(ids), Some(&[first, last, bits])) =
                    (rest.get(..2 * usize::from(count)), rest.get(2 * usize::from(count)..))
                else {
                    return;
                };
                let coefficients = (first..=last.min(63)).fold(0, |bits, index| bits | 1 << index);
                let named = |component: &&mut Component| ids.chunks_exact(2).any(|of| of[0] == component.id);
                for component in self.components.iter_mut().filter(named) {
                    component.alone |= count == 1;
                    component.finished |= if bits & 15 == 0 { coefficients } else { 0 };
                }
            }
            (0xe0, [b'J', b'F', b'I', b'F', 0, ..]) => self.jfif = true,
            (0xee, [b'A', b'd', b'o', b'b', b'e', _, _, _, _, _, _, transform, ..]) => {
                self.adobe = Some(*transform);
            }
            _ => {}
        }
    }

    /// Whether the scans bring every coefficient of every component.
    pub fn is_complete(&self) -> bool {
        !self.components.is_empty() && self.components.iter().all(|component| component.finished == !0)
    }

    /// How libjpeg takes the components, of which there are 1, 3 or 4.
    pub fn colours(&self) -> Colours {
        let ids: Vec<u8> = self.components.iter().map(|component| component.id).collect();
        match (ids.len(), self.adobe) {
            (1, _) => Colours::Grey,
            (4, None | Some(0)) => Colours::Cmyk,
            (4, Some(_)) => Colours::Ycck,
            _ if self.jfif => Colours::YCbCr,
            (_, Some(0)) => Colours::Rgb,
            (_, None) if ids == *b"RGB" => Colours::Rgb,
            _ => Colours::YCbCr,
        }
    }

    /// Refuses by name what the decoder reads wrongly or takes too long for.
    pub fn check(&self) -> Result<(), String> {
        if self.coding == 0xc3 {
            return Err("a lossless JPEG, which is not supported; save it as PNG".into());
        }
        if matches!(self.coding, 0xc9..=0xcb) {
            return Err("an arithmetic-coded JPEG, which is not supported; save it anew".into());
        }
        if self.scans > MAX_SCANS {
            return Err(format!("a JPEG of {} scans; at most {MAX_SCANS}; save it anew", self.scans));
        }
        // The decoder counts the blocks of a scan of one component wrongly unless the component has the finest sampling or
        // the coarsest there is.
        let between = |axis: usize| {
            let most = self.components.iter().map(|component| component.sampling[axis]).max();
            self.components
                .iter()
                .any(|of| of.alone && of.sampling[axis] > 1 && Some(of.sampling[axis]) != most)
        };
        if between(0) || between(1) {
            let of = |Component { sampling: [h, v], .. }: &Component| format!("{h}x{v}");
            let sampling: Vec<String> = self.components.iter().map(of).collect();
            return Err(format!(
                "a JPEG with components sampled {} in separate scans, which is not supported; save it anew",
                sampling.join(", ")
            ));
        }
        Ok(())
    }
}

/// The next marker's second byte, and where its content starts. Image data and whatever else is no marker is passed over.
fn next_marker(jpeg: &[u8], from: usize) -> Option<(u8, usize)> {
    let mut at = from;
    loop {
        at += jpeg.get(at..)?.iter().position(|&byte| byte == 0xff)?;
        // Any number of these may stand before a marker.
        at += jpeg[at..].iter().position(|&byte| byte != 0xff)?;
        match jpeg[at] {
            // A 0xff of the image data.
            0 => {}
            marker => return Some((marker, at + 1)),
        }
    }
}
