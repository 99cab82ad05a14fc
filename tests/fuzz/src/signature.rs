//! The proofs that a webhook's caller is who it says.

use crate::{Target, update::request};
use bridge::{
    ports::{NotificationReader, UpdateReader},
    secrets::{Secret, Secrets},
    webhook::WebhookRequest,
};
use intercom::IntercomNotifications;
use proptest::{collection::vec, prelude::*, sample::Index, test_runner::TestCaseError};
use ring::hmac;
use telegram::TelegramUpdates;

/// Only the right proof verifies.
pub struct Signature;

/// A delivery: what the secrets are, what was signed with what, and what became of the proof on its way.
#[derive(Clone, Debug)]
pub struct Delivery {
    secrets: Vec<String>,
    signed_with: usize,
    body: Vec<u8>,
    damage: Damage,
}

/// What becomes of a proof.
#[derive(Clone, Debug)]
enum Damage {
    None,
    /// Signed with something that is no secret of ours.
    Foreign(String),
    /// One character is another.
    Character(Index, char),
    /// Cut off there.
    Cut(Index),
    /// More behind it.
    More(String),
    /// In capital letters.
    Capitals,
    /// Something else altogether.
    Other(String),
    /// The header comes twice.
    Twice,
    /// The body is longer than what was signed.
    Body(u8),
}

impl Target for Signature {
    type Input = Delivery;

    const NAME: &'static str = "signature";

    fn inputs() -> BoxedStrategy<Delivery> {
        let secret = || prop_oneof![6 => "[a-zA-Z0-9_-]{1,12}", 1 => Just(String::new()), 1 => "[ -~]{1,70}"];
        let damage = prop_oneof![
            2 => Just(Damage::None),
            2 => secret().prop_map(Damage::Foreign),
            4 => (any::<Index>(), "[0-9a-fA-Fz= \u{e9}]").prop_map(|(at, c)| Damage::Character(at, c.chars().next().unwrap_or('0'))),
            2 => any::<Index>().prop_map(Damage::Cut),
            1 => "[0-9a-f= ]{1,4}".prop_map(Damage::More),
            1 => Just(Damage::Capitals),
            1 => "(sha1=|sha256=|SHA1=)?[0-9a-f]{0,44}".prop_map(Damage::Other),
            1 => Just(Damage::Twice),
            1 => any::<u8>().prop_map(Damage::Body),
        ];
        (vec(secret(), 0..4), any::<usize>(), vec(any::<u8>(), 0..40), damage)
            .prop_map(|(secrets, signed_with, body, damage)| Delivery {
                secrets,
                signed_with,
                body,
                damage,
            })
            .boxed()
    }

    /// The body, the proof, and the secrets.
    fn read(bytes: &[u8]) -> Option<Delivery> {
        let mut parts = crate::parts(bytes);
        Some(Delivery {
            body: parts.next()?.to_vec(),
            damage: Damage::Other(crate::text(parts.next()?)),
            secrets: parts.map(crate::text).collect(),
            signed_with: 0,
        })
    }

    fn check(delivery: &Delivery) -> Result<(), TestCaseError> {
        let secret = match (&delivery.damage, delivery.secrets.len()) {
            (Damage::Foreign(secret), _) => secret.clone(),
            (_, 0) => String::new(),
            (_, some) => delivery
                .secrets
                .get(delivery.signed_with % some)
                .cloned()
                .unwrap_or_default(),
        };
        let intercom = delivered(delivery, "X-Hub-Signature", &sign(&secret, &delivery.body));
        let telegram = delivered(delivery, "X-Telegram-Bot-Api-Secret-Token", &secret);
        let secrets = secrets(&delivery.secrets);
        prop_assert_eq!(
            IntercomNotifications.verify(&intercom, &secrets).is_some(),
            delivery.secrets.iter().any(|secret| is_signed(&intercom, secret)),
            "{:?}",
            intercom.headers
        );
        prop_assert_eq!(
            TelegramUpdates.verify(&telegram, &secrets).is_some(),
            delivery.secrets.iter().any(|secret| is_named(&telegram, secret)),
            "{:?}",
            telegram.headers
        );
        Ok(())
    }
}

/// What Intercom signs a body with, by another library than ours.
pub(crate) fn sign(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    format!("sha1={}", hex::encode(hmac::sign(&key, body)))
}

fn delivered(delivery: &Delivery, header: &str, proof: &str) -> WebhookRequest {
    let mut request = request(&delivery.body, header, &damaged(proof, &delivery.damage));
    match delivery.damage {
        Damage::Twice => request.headers.extend(request.headers.clone()),
        Damage::Body(byte) => request.body = [&delivery.body[..], &[byte]].concat().into(),
        _ => {}
    }
    request
}

fn damaged(proof: &str, damage: &Damage) -> String {
    match damage {
        Damage::Character(at, instead) => {
            let at = at.index(proof.chars().count().max(1));
            let characters = proof.chars().enumerate();
            characters
                .map(|(here, c)| if here == at { *instead } else { c })
                .collect()
        }
        Damage::Cut(at) => proof.chars().take(at.index(proof.chars().count() + 1)).collect(),
        Damage::More(more) => format!("{proof}{more}"),
        Damage::Capitals => proof.to_uppercase().replace("SHA1=", "sha1="),
        Damage::Other(other) => other.clone(),
        Damage::None | Damage::Foreign(_) | Damage::Twice | Damage::Body(_) => proof.to_owned(),
    }
}

/// Whether the one proof is the signature of what arrived, in hex of any case, under a secret that is one.
fn is_signed(request: &WebhookRequest, secret: &str) -> bool {
    let [(_, proof)] = request.headers.as_slice() else {
        return false;
    };
    let right = sign(secret, &request.body);
    let digest = proof.trim().strip_prefix("sha1=").map(str::to_ascii_lowercase);
    !secret.is_empty() && digest.is_some_and(|digest| right.strip_prefix("sha1=") == Some(digest.as_str()))
}

fn is_named(request: &WebhookRequest, secret: &str) -> bool {
    let [(_, proof)] = request.headers.as_slice() else {
        return false;
    };
    !secret.is_empty() && proof == secret
}

fn secrets(listed: &[String]) -> Secrets {
    let listed: Vec<Secret> = listed.iter().map(Secret::new).collect();
    Secrets {
        telegram_bot_token: Secret::new("1:token"),
        telegram_webhook_secrets: listed.clone(),
        intercom_access_token: Secret::new("token"),
        intercom_client_secrets: listed,
    }
}
