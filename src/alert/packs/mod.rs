//! What the source systems alert of by themselves, in their words. Pure: what is stored, and what time it is, are handed
//! in.

pub mod syncpulse; // devices whose reports are judged as a whole
pub mod statusmonitor; // rules of people about reports of their agents
pub mod fleet; // endpoints that are silent, and disks that are full
mod indented; // values as Python's JSON writer indents them
