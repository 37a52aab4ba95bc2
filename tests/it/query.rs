//! Stored samples as queries answer them: page by page what a sorted map would hold, and never a part for the whole.

mod breaks; // PostgreSQL goes away in the midst of an answer
mod levels; // long stretches of time, mostly empty
mod model; // random samples and questions against a naive model
pub(crate) mod stored; // samples put into the levels below the journal
mod late; // what comes for hours that were rolled up
mod windows; // windows of samples on all levels against a naive model
mod walks; // page by page while more comes in
mod edges; // pages that begin amid packed rows, empty ranges, odd parameters
