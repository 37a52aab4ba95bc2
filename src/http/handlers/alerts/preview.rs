//! `POST /api/v1/alerts/preview`: what a rule would have done, judged over what is stored by what judges.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::{Answering, Services, input};
use super::{asked, owning};
use crate::alert::definition::{Definition, Head, Texts};
use crate::alert::manage::rules::RuleForm;
use crate::alert::manage::{ManageError, Owning};
use crate::alert::preview::{Outcome, Preview};
use crate::alert::rule::Rule;
use crate::auth::Principal;
use crate::http::{ApiError, Request, response};
use crate::model::alert::RuleId;
use crate::model::{Micros, Reach, Series, Whose};
use crate::query::aggregate::{Span, Stored, Tier, WalkRequest, Walked, Walker};
use crate::query::when;
use crate::store::series::SeriesFilter;

/// Series one preview may be of.
const SERIES_MAX: u32 = 1_000;
const RANGE_DEFAULT: &str = "-7d";
/// The longest range.
const RANGE_MAX_MICROS: i64 = 31 * 86_400 * Micros::PER_SECOND;
/// What a rule is called that has no name yet.
const NAMELESS: &str = "preview";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    definition: Map<String, Value>,
    from: Option<String>,
    to: Option<String>,
    owner: Option<Value>,
}

/// The rule over what is stored of each series.
struct Judging {
    rule: Arc<Rule>,
    from: Micros,
}

impl Walker for Judging {
    type Kept = Preview;

    fn is_wanted(&self, series: &Series) -> bool {
        self.rule.filter.matches(series)
    }

    fn begin(&self, _: &Series) -> Preview {
        Preview::new(Arc::clone(&self.rule), self.from)
    }

    fn take(&self, preview: &mut Preview, stored: Stored<'_>) {
        match stored {
            Stored::Samples(times, values) => preview.samples(times, values),
            Stored::Buckets(buckets) => preview.buckets(buckets),
        }
    }
}

pub(in super::super) fn preview(services: Arc<Services>, mut request: Request) -> Answering {
    Box::pin(async move {
        let sent: Sent = input::json(&services, &mut request).await?;
        let (from, to) = range(&sent, services.clock.now())?;
        let reach = reach(&request.principal, owning(sent.owner)?)?;
        let definition = RuleForm::read(sent.definition)?.definition;
        let head = Head { id: RuleId(0), version: 0, name: NAMELESS.to_owned(), reach };
        let rule = definition.rule(head).map_err(|faults| ManageError::Invalid { what: "rule", faults })?;
        let asked = walk(&definition, &rule, (from, to));
        let started = Instant::now();
        let walked = services.query.walk(asked, Arc::new(Judging { rule: Arc::new(rule), from })).await;
        services.metrics.query.requests.inc();
        services.metrics.query.duration.observe(started.elapsed().as_secs_f64());
        response::json(StatusCode::OK, &shown(walked?, (from, to)))
    })
}

fn range(sent: &Sent, now: Micros) -> Result<(Micros, Micros), ApiError> {
    let time = |name: &str, text: Option<&str>, default: &str| {
        let time = when::time(text.unwrap_or(default), now, &when::UNITS);
        time.ok_or_else(|| asked::bad(name, "an RFC 3339 time, or one such as -1h"))
    };
    let (from, to) = (time("from", sent.from.as_deref(), RANGE_DEFAULT)?, time("to", sent.to.as_deref(), "now")?);
    if from >= to || to.0.saturating_sub(from.0) > RANGE_MAX_MICROS {
        return Err(asked::bad("from", "before to, by 31 days at most"));
    }
    Ok((from, to))
}

/// All servers that the caller reaches, or of those only the fleet's or their own.
fn reach(principal: &Principal, owning: Option<Owning>) -> Result<Reach, ApiError> {
    let reach = principal.reach.clone();
    let (fleet, owner) = match owning {
        None => return Ok(reach),
        Some(Owning::Fleet) => (true, None),
        Some(Owning::Me) => (false, Some(principal.person().ok_or(ManageError::Forbidden)?)),
    };
    let is_reached = match reach.whose {
        Whose::Everyones => true,
        Whose::Some { fleet: reached, owner: own } => (!fleet || reached) && (owner.is_none() || own == owner),
    };
    let asked = Reach { whose: Whose::Some { fleet, owner }, ..reach };
    // Where nothing of it is reached there is nothing to see.
    Ok(if is_reached { asked } else { asked.only(BTreeSet::new()) })
}

fn walk(definition: &Definition, rule: &Rule, (from, to): (Micros, Micros)) -> WalkRequest {
    let servers = rule.filter.servers();
    let filter = SeriesFilter {
        server_ids: (!servers.is_empty()).then(|| servers.to_vec()),
        metric_types: literal(&definition.metric_type),
        metric_names: literal(&definition.metric_name),
        ..SeriesFilter::all(rule.filter.reach().clone())
    };
    // Windows are full, and what has to hold for a while may hold already, when the range begins.
    let lead = rule.pending + rule.window.map(|window| window.over).unwrap_or_default();
    let lead_micros = i64::try_from(lead.as_micros()).unwrap_or(i64::MAX);
    WalkRequest { filter, from: Micros(from.0.saturating_sub(lead_micros)), to, series_max: SERIES_MAX }
}

/// Texts that PostgreSQL can look for: no patterns.
fn literal(texts: &Texts) -> Option<Vec<String>> {
    let texts: Vec<String> = texts.iter().map(str::to_owned).collect();
    (!texts.is_empty() && texts.iter().all(|text| !text.contains('*'))).then_some(texts)
}

fn shown(walked: Walked<Preview>, (from, to): (Micros, Micros)) -> Value {
    let (mut fired, mut told) = (0, 0);
    let mut all = Vec::with_capacity(walked.series.len());
    for (series, preview) in walked.series {
        let outcome = preview.finish(to);
        (fired, told) = (fired + outcome.fired, told + outcome.told);
        all.push(one(&series, &outcome));
    }
    let spans: Vec<Value> = walked.spans.iter().map(span).collect();
    json!({ "from": from.to_string(), "to": to.to_string(), "fired": fired, "told": told, "series": all, "spans": spans })
}

fn one(series: &Series, outcome: &Outcome) -> Value {
    let labels: Map<String, Value> =
        series.identity.labels().iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let firings: Vec<Value> = outcome
        .firings
        .iter()
        .map(|firing| {
            let over_at = firing.over_at.map(|time| time.to_string());
            json!({ "fired_at": firing.at.to_string(), "value": firing.value, "resolved_at": over_at })
        })
        .collect();
    json!({
        "series": series.id.0,
        "server_id": series.server_id,
        "metric_type": series.identity.metric_type(),
        "metric_name": series.identity.metric_name(),
        "labels": labels,
        "fired": outcome.fired,
        "told": outcome.told,
        "firings": firings,
    })
}

/// Where buckets stood for samples, times are as coarse as those.
fn span(span: &Span) -> Value {
    json!({
        "from": span.from.to_string(),
        "to": span.to.to_string(),
        "resolution": span.tier.name(),
        "is_exact": span.tier == Tier::Raw && span.gap.is_none(),
        "note": span.gap,
    })
}
