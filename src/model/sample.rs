//! One sample with its name, as it is answered and replayed.

use std::sync::Arc;

use super::series::Series;
use super::time::Micros;

#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub series: Arc<Series>,
    pub time: Micros,
    pub value: f64,
}
