//! What parts of alerting tell each other within a process, so that nobody has to wait for the next look. Other nodes, and
//! whoever missed a word, find the same in the store a second later.

use tokio::sync::Notify;

#[derive(Debug, Default)]
pub struct Signals {
    notices: Notify,
    events: Notify,
    rules: Notify,
}

impl Signals {
    /// Something was found and committed: events to tell live, and perhaps notices to deliver.
    pub fn recorded(&self) {
        self.notices.notify_one();
        self.events.notify_one();
    }

    /// Rules, silences or recipients were changed, or somebody acknowledged an alert; `alert_progress.rules_revision` was
    /// raised in the same transaction.
    pub fn rules_changed(&self) {
        self.rules.notify_one();
    }

    /// Resolves when there may be notices. Each of the three is for one waiting task only.
    pub async fn notices(&self) {
        self.notices.notified().await;
    }

    pub async fn events(&self) {
        self.events.notified().await;
    }

    pub async fn rules(&self) {
        self.rules.notified().await;
    }
}
