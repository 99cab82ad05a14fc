//! Where a workspace is: a token is known to its own region and to no other.

use crate::install::Kept;
use bridge::failure::HelpdeskError;
use intercom::Workspace;

/// A region of Intercom's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    /// What `INTERCOM_REGION` calls it.
    pub(crate) name: String,
    /// Its API.
    pub(crate) url: String,
}

impl Region {
    /// All of them: <https://developers.intercom.com/docs/references/rest-api/api.intercom.io>.
    pub(crate) fn all() -> Vec<Self> {
        let rows = [
            ("us", "https://api.intercom.io"),
            ("eu", "https://api.eu.intercom.io"),
            ("au", "https://api.au.intercom.io"),
        ];
        let region = |(name, url): (&str, &str)| Self {
            name: name.into(),
            url: url.into(),
        };
        rows.into_iter().map(region).collect()
    }
}

/// What came of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Search {
    /// The token is known here.
    Found(Region, Box<Workspace>),
    /// Every region refuses it.
    Refused,
    /// No region knows it, and these could not be asked.
    Unasked(Vec<String>),
}

impl Search {
    /// Where it was found.
    pub(crate) fn found(self) -> Option<(Region, Workspace)> {
        match self {
            Self::Found(region, workspace) => Some((region, *workspace)),
            Self::Refused | Self::Unasked(_) => None,
        }
    }
}

/// Asks each region for the workspace of the access token.
pub(crate) async fn find(secrets: &Kept, regions: &[Region]) -> anyhow::Result<Search> {
    let mut unasked = Vec::new();
    for region in regions {
        match secrets.intercom(&region.url)?.workspace().await {
            Ok(workspace) => return Ok(Search::Found(region.clone(), Box::new(workspace))),
            Err(HelpdeskError::Unauthorized { .. }) => {}
            Err(error) => unasked.push(format!("{}: failed to {error}", region.url)),
        }
    }
    if unasked.is_empty() {
        return Ok(Search::Refused);
    }
    Ok(Search::Unasked(unasked))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bridge::secrets::Secret;
    use simulators::{Fault, SimClock, intercom::IntercomSim};

    async fn regions() -> (Vec<IntercomSim>, Vec<Region>) {
        let mut sims = Vec::new();
        let mut regions = Region::all();
        for region in &mut regions {
            let sim = IntercomSim::start(SimClock::real()).await;
            region.url = sim.base_url().to_owned();
            sims.push(sim);
        }
        (sims, regions)
    }

    fn token(token: &str) -> Kept {
        Kept {
            access_token: Some(Secret::new(token)),
            ..Kept::default()
        }
    }

    #[tokio::test]
    async fn every_region_is_asked_before_a_token_is_called_wrong() {
        let (sims, regions) = regions().await;
        let australian = sims[2].rotate_access_token();
        sims[0].rotate_access_token();
        sims[1].rotate_access_token();
        let (region, workspace) = find(&token(&australian), &regions).await.unwrap().found().unwrap();
        assert_eq!(
            (region.name.as_str(), workspace.id.to_string()),
            ("au", sims[2].workspace_id())
        );
        assert_eq!(find(&token("unknown"), &regions).await.unwrap(), Search::Refused);
    }

    #[tokio::test]
    async fn a_region_that_cannot_be_asked_is_named() {
        let (sims, regions) = regions().await;
        sims[1].faults().arm("GET /me", Fault::CutBefore, 5);
        let Search::Unasked(problems) = find(&token("unknown"), &regions).await.unwrap() else {
            panic!("it is not known whether the token is wrong");
        };
        assert_eq!(problems.len(), 1);
        assert!(problems[0].contains(sims[1].base_url()), "{problems:?}");
    }
}
