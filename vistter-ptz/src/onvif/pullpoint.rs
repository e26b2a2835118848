//! The task that listens to a camera's events. It has a connection of its own, so that a long wait for events holds up no
//! command; it ends with the driver, and gives up where the camera offers nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::time::{Duration, sleep};
use vistter_core::time::MediaTime;
use vistter_core::{ErrorKind, Result};

use super::client::{OnvifClient, OnvifOptions};
use super::endpoint::Endpoint;
use super::events::{
    EVENTS, LEASE, NOTIFICATION, Subscription, Watch, addressed, create_body, happened, pull_body, renew_body,
    subscription,
};
use crate::timer::Timer;

/// How long one question waits for events.
const PULL: MediaTime = MediaTime::from_secs(5);
/// A camera that answers at once with nothing is asked again after this.
const PACE: Duration = Duration::from_millis(200);
/// Subscriptions in a row that bring nothing before it is given up: each may stay behind on the camera.
const MOST_BARREN: u32 = 5;
/// Longest pause is two to this, in seconds.
const LONGEST: u32 = 5;

/// A task that listens. Dropping it ends the subscription.
#[derive(Debug)]
pub(super) struct PullPoint {
    watch: Arc<Mutex<Watch>>,
    _open: oneshot::Sender<()>,
}

impl PullPoint {
    /// Subscribes at the event service. `options` are those of the driver, with what it has found out.
    pub(super) fn start(mut options: OnvifOptions, xaddr: String) -> Self {
        options.exchange_within = options.exchange_within + PULL;
        let watch = Arc::new(Mutex::new(Watch::default()));
        let (open, closed) = oneshot::channel();
        let listener = Listener { client: OnvifClient::new(options), xaddr, watch: watch.clone() };
        drop(tokio::spawn(listener.run(closed)));
        Self { watch, _open: open }
    }
    /// What was heard, to be told of commands and asked.
    pub(super) fn watch(&self) -> MutexGuard<'_, Watch> {
        lock(&self.watch)
    }
}

/// Where a subscription answers, and what goes into the header of what is said there.
struct Place {
    endpoint: Endpoint,
    parameters: String,
}

struct Listener {
    client: OnvifClient,
    xaddr: String,
    watch: Arc<Mutex<Watch>>,
}

impl Listener {
    async fn run(mut self, mut closed: oneshot::Receiver<()>) {
        let (mut barren, mut away) = (0, 0);
        while barren < MOST_BARREN {
            let subscribed = tokio::select! {
                biased;
                _ = &mut closed => return,
                s = self.subscribe() => s,
            };
            match subscribed {
                Ok(at) => {
                    let ended = tokio::select! {
                        biased;
                        _ = &mut closed => None,
                        heard = self.listen(&at) => Some(heard),
                    };
                    let Some(heard) = ended else {
                        let _ =
                            self.say(&at, NOTIFICATION, "SubscriptionManager/Unsubscribe", "<wsnt:Unsubscribe/>").await;
                        return;
                    };
                    lock(&self.watch).lost();
                    (barren, away) = (if heard { 0 } else { barren + 1 }, 0);
                }
                // A camera that restarts, or whose network is down, comes back; a show goes on for days.
                Err(e) if matches!(e.kind(), ErrorKind::Timeout | ErrorKind::Refused | ErrorKind::Closed) => {
                    away = LONGEST.min(away + 1);
                }
                // It offers no events, or not to this user.
                Err(_) => return,
            }
            tokio::select! {
                biased;
                _ = &mut closed => return,
                () = sleep(Duration::from_secs(1 << LONGEST.min(barren.max(away)))) => {}
            }
        }
    }

    async fn subscribe(&mut self) -> Result<Place> {
        let device = self.client.device().await?;
        let to = Endpoint::of_xaddr(&self.xaddr, &device);
        let action = "EventPortType/CreatePullPointSubscriptionRequest";
        let at = Place { endpoint: to, parameters: String::new() };
        let e = self.say(&at, EVENTS, action, &create_body()).await?;
        let Subscription { address, parameters } = subscription(&e);
        // Some devices have one place for all subscriptions and leave it out.
        Ok(Place { endpoint: address.map_or(at.endpoint, |a| Endpoint::of_xaddr(&a, &device)), parameters })
    }

    /// Until something fails; whether anything came before that.
    async fn listen(&mut self, at: &Place) -> bool {
        let timer = Timer::new();
        let half = MediaTime::from_nanos(LEASE.nanos() / 2);
        let mut renew = half;
        let mut heard = false;
        loop {
            let asked = timer.now();
            let action = "PullPointSubscription/PullMessagesRequest";
            let Ok(e) = self.say(at, EVENTS, action, &pull_body(PULL)).await else { return heard };
            heard = true;
            let events = happened(&e);
            let quick = timer.now() - asked < MediaTime::from_millis(100);
            lock(&self.watch).heard(&events);
            if quick {
                sleep(PACE).await;
            }
            if timer.now() >= renew {
                renew = timer.now() + half;
                // One that does not know Renew ends the subscription at its time, and a new one is made.
                let _ = self.say(at, NOTIFICATION, "SubscriptionManager/RenewRequest", &renew_body()).await;
            }
        }
    }

    async fn say(&mut self, to: &Place, service: &str, action: &str, body: &str) -> Result<super::xml::Element> {
        let action = format!("{service}/{action}");
        let header = addressed(&action, &to.endpoint.to_string()) + &to.parameters;
        self.client.call_with(&to.endpoint, &action, &header, body).await
    }
}

fn lock(m: &Mutex<Watch>) -> MutexGuard<'_, Watch> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}
