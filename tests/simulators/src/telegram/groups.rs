//! Chats, and who is what in them.

use serde_json::json;

use super::{
    people::{Bot, GROUP_ANONYMOUS_BOT, Member, Person, Right, Rights, Status, UserId},
    post::{Draft, fields},
    sim::TelegramSim,
    world::{Chat, ChatKind, World},
};

impl TelegramSim {
    /// Opens the private chat of a person with the bots there are; its id is the person's.
    pub fn private_chat(&self, user: UserId) -> i64 {
        self.shared.change(|world, _| {
            let mut chat = Chat::new(user.0, ChatKind::Private, "");
            for member in world.bots.keys().copied().chain([user.0]) {
                chat.members.insert(member, Member::of(Status::Member));
            }
            world.chats.insert(user.0, chat);
            user.0
        })
    }

    /// A person blocks the bots in their private chat, or lets them write again.
    pub fn set_blocked(&self, user: UserId, blocked: bool) {
        self.shared.change(|world, now_ms| {
            let bots: Vec<i64> = world.bots.keys().copied().collect();
            for bot in bots {
                let status = if blocked { Status::Kicked } else { Status::Member };
                world.change_member(user.0, bot, Member::of(status), user.0, now_ms);
            }
        });
    }

    /// A basic group; its first member owns it. The bot comes with [`TelegramSim::add_bot`] or [`TelegramSim::promote_bot`].
    pub fn group(&self, title: &str, members: &[UserId]) -> i64 {
        self.shared.change(|world, _| {
            let id = -4_600_000_000 - world.next();
            world.found(Chat::new(id, ChatKind::Group, title), members);
            id
        })
    }

    /// A supergroup, with topics if it is a forum. Its owner is nobody in particular: [`TelegramSim::owner`].
    pub fn supergroup(&self, title: &str, forum: bool) -> i64 {
        self.shared.change(|world, now_ms| {
            let id = -1_002_200_000_000 - world.next();
            let mut chat = Chat::new(id, ChatKind::Supergroup, title);
            chat.forum = forum;
            let owner = world.found(chat, &[]);
            // Takes the id 1, which no topic but General has.
            world.post(
                id,
                Draft::service(owner.0, None, "supergroup_chat_created", true.into()),
                now_ms,
            );
            id
        })
    }

    /// Who owns a group.
    ///
    /// # Panics
    /// In a private chat, which nobody owns.
    pub fn owner(&self, chat: i64) -> UserId {
        self.shared.world().owner(chat).expect("a group has an owner")
    }

    /// Somebody joins; the chat is told.
    pub fn add_member(&self, chat: i64, user: UserId) {
        self.shared.change(|world, now_ms| world.join(chat, user.0, now_ms));
    }

    /// Somebody leaves; the chat is told.
    pub fn remove_member(&self, chat: i64, user: UserId) {
        self.shared.change(|world, now_ms| {
            let person = world.user(user).json();
            let leaves = Draft::service(user.0, None, "left_chat_member", person);
            world.post(chat, leaves, now_ms);
            world.change_member(chat, user.0, Member::of(Status::Left), user.0, now_ms);
        });
    }

    /// A bot joins as a plain member.
    pub fn add_bot(&self, bot: &Bot, chat: i64) {
        self.shared.change(|world, now_ms| world.join(chat, bot.id, now_ms));
    }

    /// A bot becomes administrator with these rights, whatever it was before.
    pub fn promote_bot(&self, bot: &Bot, chat: i64, rights: Rights) {
        self.set_member(
            chat,
            bot.id,
            Member {
                rights,
                ..Member::of(Status::Administrator)
            },
        );
    }

    /// An administrator bot loses one right.
    pub fn remove_right(&self, bot: &Bot, chat: i64, right: Right) {
        let member = self.shared.world().chat(chat).members.get(&bot.id).cloned();
        if let Some(member) = member {
            self.set_member(
                chat,
                bot.id,
                Member {
                    rights: member.rights.clone().without(right),
                    ..member
                },
            );
        }
    }

    /// A bot may read but not write from now on.
    pub fn restrict_bot(&self, bot: &Bot, chat: i64) {
        self.set_member(chat, bot.id, Member::of(Status::Restricted));
    }

    /// A bot is thrown out.
    pub fn kick_bot(&self, bot: &Bot, chat: i64) {
        self.set_member(chat, bot.id, Member::of(Status::Kicked));
    }

    /// A person becomes administrator with all rights, seen by name or as the group itself.
    pub fn promote(&self, user: UserId, chat: i64, anonymous: bool) {
        let member = Member {
            rights: Rights::all(),
            anonymous,
            ..Member::of(Status::Administrator)
        };
        self.set_member(chat, user.0, member);
    }

    /// A person is a plain member again.
    pub fn demote(&self, user: UserId, chat: i64) {
        self.set_member(chat, user.0, Member::of(Status::Member));
    }

    /// The title beside an administrator's name, which signs what an anonymous one writes.
    pub fn set_admin_title(&self, user: UserId, chat: i64, title: &str) {
        if let Some(member) = self.shared.world().chat_mut(chat).members.get_mut(&user.0) {
            member.title = Some(title.to_owned());
        }
    }

    /// A basic group becomes a supergroup with another id, which is returned.
    pub fn migrate(&self, group: i64) -> i64 {
        self.shared.change(|world, now_ms| world.migrate(group, now_ms))
    }

    /// Topics are switched on; a basic group becomes a supergroup by that. Returns the id that the chat has now.
    pub fn enable_topics(&self, chat: i64) -> i64 {
        self.shared.change(|world, now_ms| {
            let basic = world.chat(chat).kind == ChatKind::Group;
            let id = if basic { world.migrate(chat, now_ms) } else { chat };
            world.chat_mut(id).forum = true;
            id
        })
    }

    /// A group gets another title; the chat is told.
    pub fn rename_chat(&self, chat: i64, title: &str) {
        self.shared.change(|world, now_ms| {
            title.clone_into(&mut world.chat_mut(chat).title);
            let owner = world.owner(chat).map_or(GROUP_ANONYMOUS_BOT, |owner| owner.0);
            world.post(
                chat,
                Draft::service(owner, None, "new_chat_title", title.into()),
                now_ms,
            );
        });
    }

    fn set_member(&self, chat: i64, user: i64, member: Member) {
        self.shared.change(|world, now_ms| {
            let actor = world.owner(chat).map_or(user, |owner| owner.0);
            world.change_member(chat, user, member, actor, now_ms);
        });
    }
}

impl World {
    fn found(&mut self, mut chat: Chat, members: &[UserId]) -> UserId {
        let owner = members.first().copied().unwrap_or_else(|| self.stranger());
        for member in members {
            chat.members.insert(member.0, Member::of(Status::Member));
        }
        chat.members.insert(owner.0, Member::of(Status::Creator));
        self.chats.insert(chat.id, chat);
        owner
    }

    fn stranger(&mut self) -> UserId {
        let id = 5_200_000_000 + self.next();
        self.people.insert(id, Person::service(id, false, "Owner", None));
        UserId(id)
    }

    fn owner(&self, chat: i64) -> Option<UserId> {
        let mut members = self.chat(chat).members.iter();
        members
            .find(|(_, member)| member.status == Status::Creator)
            .map(|(id, _)| UserId(*id))
    }

    fn join(&mut self, chat: i64, user: i64, now_ms: i64) {
        let actor = self.owner(chat).map_or(user, |owner| owner.0);
        self.change_member(chat, user, Member::of(Status::Member), actor, now_ms);
        let person = self.person(user).json();
        let mut joined = Draft::service(actor, None, "new_chat_members", json!([person]));
        // Older names of the same thing, which the real server still sends.
        joined.fields.insert("new_chat_participant".into(), person.clone());
        joined.fields.insert("new_chat_member".into(), person);
        self.post(chat, joined, now_ms);
    }

    fn change_member(&mut self, chat: i64, user: i64, member: Member, actor: i64, now_ms: i64) {
        let old = self.member_json(chat, user);
        let members = &mut self.chat_mut(chat).members;
        let before = members.get(&user).map(|member| member.had.clone());
        let had = before.unwrap_or_default().and(&member.rights);
        members.insert(user, Member { had, ..member });
        let body = json!({
            "chat": self.chat_json(chat), "from": self.person(actor).json(), "date": now_ms / 1000,
            "old_chat_member": old, "new_chat_member": self.member_json(chat, user),
        });
        if self.bots.contains_key(&user) {
            self.publish(user, "my_chat_member", body.clone(), now_ms);
        }
        for bot in self.admin_bots(chat).into_iter().filter(|bot| *bot != user) {
            self.publish(bot, "chat_member", body.clone(), now_ms);
        }
    }

    fn migrate(&mut self, group: i64, now_ms: i64) -> i64 {
        let id = -1_002_200_000_000 - self.next();
        let old = self.chat(group);
        let mut new = Chat::new(id, ChatKind::Supergroup, &old.title);
        new.members = old.members.clone();
        let owner = self.owner(group).map_or(GROUP_ANONYMOUS_BOT, |owner| owner.0);
        self.chats.insert(id, new);
        self.post(
            group,
            Draft::service(owner, None, "migrate_to_chat_id", id.into()),
            now_ms,
        );
        self.chat_mut(group).migrated_to = Some(id);
        let said = [
            ("sender_chat", self.chat_json(id)),
            ("migrate_from_chat_id", group.into()),
        ];
        let arrives = Draft {
            from: GROUP_ANONYMOUS_BOT,
            fields: fields(said),
            service: true,
            ..Draft::default()
        };
        self.post(id, arrives, now_ms);
        id
    }
}
