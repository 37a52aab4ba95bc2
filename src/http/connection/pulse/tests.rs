//! What is overdue when, and what counts as progress.

use super::*;

const PATIENCE: Patience = Patience {
    head: Duration::from_millis(10),
    idle: Duration::from_millis(50),
    write_stall: Duration::from_millis(30),
};

fn due_ms(pulse: &Pulse) -> Option<(u128, Overdue)> {
    pulse.due(&PATIENCE).map(|(at, why)| ((at - pulse.epoch).as_millis(), why))
}

#[tokio::test(start_paused = true)]
async fn a_head_is_due_sooner_than_an_idle_connection_and_a_busy_one_never() {
    let pulse = Arc::new(Pulse::start(false));
    assert_eq!(due_ms(&pulse), Some((10, Overdue::Head)));
    let busy = Busy::enter(&pulse);
    assert_eq!(due_ms(&pulse), None);
    tokio::time::advance(Duration::from_millis(100)).await;
    drop(busy);
    assert_eq!(due_ms(&pulse), Some((150, Overdue::Idle)));
    tokio::time::advance(Duration::from_millis(5)).await;
    pulse.read_some();
    tokio::time::advance(Duration::from_millis(1)).await;
    pulse.read_some();
    assert_eq!(due_ms(&pulse), Some((115, Overdue::Head)), "more bytes do not buy more time");
}

#[tokio::test(start_paused = true)]
async fn bytes_on_http2_are_not_taken_for_a_head() {
    let pulse = Pulse::start(true);
    pulse.read_some();
    assert_eq!(due_ms(&pulse), Some((50, Overdue::Idle)));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_due_even_when_busy() {
    let pulse = Arc::new(Pulse::start(false));
    let _busy = Busy::enter(&pulse);
    pulse.write_blocked();
    tokio::time::advance(Duration::from_millis(5)).await;
    pulse.write_blocked();
    assert_eq!(due_ms(&pulse), Some((30, Overdue::WriteStall)));
    pulse.wrote();
    assert_eq!(due_ms(&pulse), None);
}

#[tokio::test(start_paused = true)]
async fn an_answer_the_client_gives_no_room_for_is_due_unless_it_takes_some() {
    let pulse = Arc::new(Pulse::start(true));
    let busy = Busy::enter(&pulse);
    tokio::time::advance(Duration::from_millis(100)).await;
    let mut piece = Untaken::new(Bytes::from_static(b"ab"), &pulse);
    assert_eq!(due_ms(&pulse), Some((130, Overdue::WriteStall)));
    tokio::time::advance(Duration::from_millis(20)).await;
    let second = Untaken::new(Bytes::from_static(b"c"), &pulse);
    pulse.read_some();
    assert_eq!(due_ms(&pulse), Some((130, Overdue::WriteStall)), "neither more to take nor being heard is progress");
    piece.advance(1);
    assert_eq!(due_ms(&pulse), Some((150, Overdue::WriteStall)));
    drop(busy);
    assert_eq!(due_ms(&pulse), Some((150, Overdue::WriteStall)), "an answer is not over before it is taken");
    drop((piece, second));
    assert_eq!(due_ms(&pulse), Some((170, Overdue::Idle)));
}

#[tokio::test(start_paused = true)]
async fn rest_begins_when_it_is_said_to() {
    let pulse = Pulse::start(true);
    tokio::time::advance(Duration::from_millis(100)).await;
    pulse.rest();
    assert_eq!(due_ms(&pulse), Some((150, Overdue::Idle)));
}
