//! What an agent puts between the words: articles, cards of apps, buttons, saved replies.
//!
//! How cards look in a body is not published; see `shared/intercom/src/html/card.rs`.

use scenarios::World;
use simulators::intercom::{File, Reply};

async fn told(reply: Reply) -> Vec<String> {
    let world = World::new().await;
    let topic = world.order().await;
    world.agent_replies_with("Order 1042", reply);
    world.settle().await;
    let told = world.customer_is_told(topic);
    world.finish().await;
    told
}

const ARTICLE: &str = "<a class=\"intercom-interblocks-article-card\" href=\"https://help.example.com/en/articles/12-refunds\">\
    <div class=\"intercom-interblocks-content-card\"><div class=\"intercom-interblocks-article-text\">\
    <div class=\"intercom-interblocks-article-title\">How refunds work</div>\
    <div class=\"intercom-interblocks-article-body\">All about refunds</div>\
    <div class=\"intercom-interblocks-article-author\">Written by Anna</div></div></div></a>";

#[tokio::test]
async fn an_article_arrives_as_its_title_and_its_link() {
    let shown = "<a href=\"https://help.example.com/en/articles/12-refunds\">[article] How refunds work</a>";
    let among_words = format!("<p>This explains it:</p>{ARTICLE}<p>Ask if not.</p>");
    assert_eq!(
        told(Reply::html(&among_words)).await,
        [format!("<b>Anna</b>\nThis explains it:\n{shown}\n\nAsk if not.")]
    );
    assert_eq!(told(Reply::html(ARTICLE)).await, [format!("<b>Anna</b>\n{shown}")]);
}

#[tokio::test]
async fn a_preview_of_a_link_arrives_as_its_title() {
    let card = "<p>Look</p><a class=\"intercom-interblocks-link\" href=\"https://example.com/news\">\
                <div class=\"intercom-interblocks-link-title\">Our news</div>\
                <div class=\"intercom-interblocks-link-description\">All of it</div></a>";
    assert_eq!(
        told(Reply::html(card)).await,
        ["<b>Anna</b>\nLook\n<a href=\"https://example.com/news\">Our news</a>"]
    );
}

#[tokio::test]
async fn a_card_of_an_app_arrives_as_one_line() {
    let card = "<p>Pick a time</p><div class=\"intercom-interblocks-messenger-card\"><div>Book a meeting</div>\
                <div>30 minutes</div><a href=\"https://cal.example.com/anna\">Book</a></div>";
    assert_eq!(
        told(Reply::html(card)).await,
        [
            "<b>Anna</b>\nPick a time\n<a href=\"https://cal.example.com/anna\">[app] Book a meeting · 30 minutes · Book</a>"
        ]
    );
}

/// A saved reply is HTML like any other; what it fills in is filled in when it is sent.
#[tokio::test]
async fn a_saved_reply_arrives_as_it_was_filled_in() {
    let saved = "<p class=\"no-margin\">Hi <attribute key=\"user.first_name\">Maria</attribute>,</p>\
                 <p class=\"no-margin\"></p><p class=\"no-margin\">please send us:</p>\
                 <ol><li>the <b>number</b></li><li>a photo</li></ol>";
    assert_eq!(
        told(Reply::html(saved)).await,
        ["<b>Anna</b>\nHi Maria,\n\nplease send us:\n\n1. the <b>number</b>\n2. a photo"]
    );
}

#[tokio::test]
async fn buttons_arrive_without_any_words_and_below_a_file() {
    let buttons = |reply: Reply| Reply {
        quick_replies: vec!["Yes, please".into(), "No".into()],
        ..reply
    };
    assert_eq!(
        told(buttons(Reply::default())).await,
        ["<b>Anna</b>\n\n1. Yes, please\n2. No"]
    );
    let photo = File::new("a.jpg", "image/jpeg", super::files::JPEG);
    assert_eq!(
        told(buttons(Reply::html("<p>This one?</p>").with_file(photo))).await,
        ["<b>Anna</b>\nThis one?\n\n1. Yes, please\n2. No"]
    );
}

/// Intercom gives out nothing of it, in the notification or by reading: the customer sees that there was something.
#[tokio::test]
async fn a_reply_of_which_nothing_can_be_read_leaves_a_line() {
    assert_eq!(
        told(Reply::default()).await,
        ["<b>Anna</b>\n[something that only Intercom's Messenger can show]"]
    );
}

/// What a notification left out, and reading it brings, is not called unreadable.
#[tokio::test]
async fn a_reply_that_only_reading_shows_arrives_as_it_is() {
    let world = World::new().await;
    let topic = world.order().await;
    world.intercom().set_api_version("2.16");
    let picture = File::new("a.jpg", "image/jpeg", super::files::JPEG);
    world.agent_replies_with("Order 1042", Reply::default().with_image(picture));
    world.settle().await;
    assert_eq!(world.customer_is_shown(topic), ["[photo image.jpg] <b>Anna</b>"]);
    world.finish().await;
}
