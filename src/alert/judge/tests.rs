//! What rules promise, one by one, with times of the test's choosing; and against a naive model.

mod bounds;
mod changes;
mod clock;
mod court;
mod model;
mod values;
