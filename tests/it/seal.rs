//! Closed hours into samples, closed days into hours: nothing lost, nothing twice, whatever comes when, and whenever it
//! is cut off.

mod levels; // a database with levels, and what is in them
mod model; // random arrivals against a sorted map
mod cuts; // runs that end half way
mod between; // others at work between two statements
mod late; // samples that come after their day, or after their hour's samples have gone
mod ring; // tables that are emptied, and what comes meanwhile
mod damage; // rows that cannot be read
