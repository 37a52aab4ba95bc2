//! Where a session's messages come from: first the replay, then the hub.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::frame::{Frame, Run, RunBuilder};
use super::hub::{Hub, Subscription};
use super::mailbox::Taken;
use super::outgoing::Outgoing;
use super::replay::{AttachError, Replays, attach};
use super::reports::ReportsOf;
use super::request::Wanted;
use crate::shutdown::Tasks;

/// Replayed runs between the reader and the socket.
const REPLAYED_RUNS_MAX: usize = 4;

/// The messages of one session in the order the client gets them. When it is dropped its task ends by itself.
pub(super) struct Feed {
    /// Until the session is subscribed.
    attaching: Option<JoinHandle<Result<Subscription, AttachError>>>,
    /// Until the replay has been sent.
    replayed: Option<mpsc::Receiver<Run>>,
    next: Option<Run>,
    subscription: Option<Subscription>,
    /// Whether the client is told of losses in an array; `None`: it is not told.
    notices: Option<bool>,
}

impl Feed {
    pub(super) fn start(hub: Arc<Hub>, replays: Option<Arc<Replays>>, wanted: Wanted, tasks: &Tasks) -> Self {
        let (runs, replayed) = mpsc::channel(REPLAYED_RUNS_MAX);
        let (notices, attaching) = match wanted {
            Wanted::Stream(request) => {
                (Some(request.batch), tasks.spawn("live feed", attach(hub, replays, request, runs)))
            }
            // Its clients know nothing but reports.
            Wanted::Reports(of) => (None, tasks.spawn("live feed", listen(hub, of))),
        };
        Self { attaching: Some(attaching), replayed: Some(replayed), next: None, subscription: None, notices }
    }

    /// Resolves once [`Feed::move_into`] may find something. Losing this future loses nothing.
    pub(super) async fn ready(&mut self) -> Result<(), AttachError> {
        while self.next.is_none() {
            match (&mut self.attaching, &mut self.replayed, &self.subscription) {
                (Some(attaching), Some(replayed), _) => {
                    // Either way round, the runs left in the channel are taken before the subscription is looked at.
                    tokio::select! {
                        subscription = attaching => {
                            self.attaching = None;
                            self.subscription = Some(subscription??);
                        }
                        Some(run) = replayed.recv() => self.next = Some(run),
                    }
                }
                (_, Some(replayed), _) => match replayed.recv().await {
                    Some(run) => self.next = Some(run),
                    None => self.replayed = None,
                },
                (_, None, Some(subscription)) => {
                    subscription.arrived().await;
                    return Ok(());
                }
                (_, None, None) => std::future::pending().await,
            }
        }
        Ok(())
    }

    /// Moves what there is, up to about `bytes_max`, with a word on what was lost in front of it.
    pub(super) fn move_into(&mut self, outgoing: &mut Outgoing, bytes_max: usize) {
        if let Some(run) = self.next.take() {
            outgoing.push(run.bytes);
            return;
        }
        if let (None, Some(subscription)) = (&self.replayed, &self.subscription) {
            let Taken { dropped, runs } = subscription.take(bytes_max);
            if let Some(batch) = self.notices.filter(|_| dropped > 0) {
                let (mut frame, mut notice) = (Frame::new(), RunBuilder::new(batch));
                frame.lagged(dropped);
                notice.push(&frame);
                notice.finish().into_iter().for_each(|run| outgoing.push(run.bytes));
            }
            runs.into_iter().for_each(|run| outgoing.push(run.bytes));
        }
    }

    /// All that was moved has been written.
    pub(super) fn written(&self) {
        if let Some(subscription) = &self.subscription {
            subscription.written();
        }
    }
}

async fn listen(hub: Arc<Hub>, of: ReportsOf) -> Result<Subscription, AttachError> {
    Ok(hub.subscribe_reports(of).await?)
}

#[cfg(test)]
mod tests {
    use bytes::Buf;
    use uuid::Uuid;

    use super::*;
    use crate::live::fixtures::payloads;
    use crate::live::{AgentReport, HubConfig, Marks, QueueLimits};
    use crate::matching::fixtures::directory;
    use crate::model::UserId;

    #[tokio::test]
    async fn who_listens_to_reports_gets_the_latest_of_their_own_and_no_word_of_losses() {
        let queue = QueueLimits { messages_max: 2, ..QueueLimits::default() };
        let config = HubConfig { queue, ..HubConfig::default() };
        let (hub, mut worker) = Hub::build(config, Arc::new(directory()), Marks::default());
        let tasks = Tasks::default();
        let wanted = Wanted::Reports(ReportsOf { owner: UserId(1), server_id: None });
        let mut feed = Feed::start(Arc::clone(&hub), None, wanted, &tasks);
        while hub.sessions() == 0 {
            worker.drain();
            tokio::task::yield_now().await;
        }
        for (number, owner) in [(1, 1), (2, 1), (3, 1), (4, 1), (5, 2)] {
            let text = format!(r#"{{"number":{number}}}"#).into();
            hub.report(AgentReport { number, server_id: Uuid::nil(), owner: UserId(owner), text });
        }
        worker.drain();
        feed.ready().await.unwrap();
        let mut outgoing = Outgoing::default();
        feed.move_into(&mut outgoing, usize::MAX);
        let sent = outgoing.copy_to_bytes(outgoing.remaining());
        assert_eq!(payloads(&sent), [r#"{"number":3}"#, r#"{"number":4}"#]);
        drop(feed);
        worker.drain();
        assert_eq!(hub.sessions(), 0);
    }
}
