//! Data points of one number each: gauges and sums.

use super::decode::numbered;
use super::emit::{Emitter, Metric, exact};
use super::message::Fields;
use super::refusal::Refusal;
use super::room::Unread;

pub(super) fn read<'a>(
    message: &'a [u8],
    metric: Metric<'_, 'a>,
    emitter: &mut Emitter<'_, 'a, '_>,
) -> Result<(), Unread> {
    for field in numbered(message, 1) {
        let (point, mut value) = (emitter.begin(), Err(Refusal::NoValue));
        for field in Fields::of(field?.bytes()?) {
            let field = field?;
            match field.number {
                3 => point.time_nanos = field.fixed64()?,
                // Of several values the last one counts.
                4 => value = Ok(field.double()?),
                6 => value = exact(i128::from(field.fixed64()?.cast_signed())),
                7 => point.attribute(field)?,
                8 => point.flags = field.varint()?,
                _ => {}
            }
        }
        match value {
            Ok(value) => point.sample("", value),
            Err(refusal) => point.refuse(refusal),
        }
        emitter.end(metric)?;
    }
    Ok(())
}
