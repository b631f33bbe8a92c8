//! From the terminal library's events to ours.

use terminput::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
    ScrollDirection,
};

use super::keymap::{Code, Key};
use super::message::Message;
use super::regions::Regions;

/// Rows that a notch of the wheel moves.
const WHEEL_ROWS: i32 = 3;

/// What an event means, given what was drawn where.
pub(super) fn message(event: Event, regions: &Regions) -> Option<Message> {
    match event {
        Event::Key(key) => (key.kind != KeyEventKind::Release)
            .then(|| key_of(key))
            .flatten()
            .map(Message::Key),
        Event::Paste(text) => Some(Message::Pasted(text)),
        Event::Mouse(mouse) => mouse_message(mouse, regions),
        // The kernel tells sizes.
        Event::Resize { .. } | Event::FocusGained | Event::FocusLost => None,
    }
}

fn mouse_message(mouse: MouseEvent, regions: &Regions) -> Option<Message> {
    let target = regions.at(mouse.column, mouse.row)?;
    match mouse.kind {
        MouseEventKind::Down(MouseButton::Left) => Some(Message::Clicked(target)),
        MouseEventKind::Scroll(ScrollDirection::Down) => Some(Message::Wheel(target, WHEEL_ROWS)),
        MouseEventKind::Scroll(ScrollDirection::Up) => Some(Message::Wheel(target, -WHEEL_ROWS)),
        _ => None,
    }
}

fn key_of(event: KeyEvent) -> Option<Key> {
    let ctrl = event.modifiers.contains(KeyModifiers::CTRL);
    let alt = event.modifiers.contains(KeyModifiers::ALT);
    let code = match event.code {
        KeyCode::Char(character) => Code::Char(character),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Tab if event.modifiers.contains(KeyModifiers::SHIFT) => Code::BackTab,
        KeyCode::Tab => Code::Tab,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Insert => Code::Insert,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        KeyCode::F(number) => Code::F(number),
        _ => return None,
    };
    Some(Key { code, ctrl, alt })
}
