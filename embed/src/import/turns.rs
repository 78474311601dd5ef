//! Decisions in the order of a list, made by workers that go through it side by side.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A state, and whose turn it is to look at it.
pub(super) struct Turns<T> {
    now: Mutex<Now<T>>,
    passed: Condvar,
}

struct Now<T> {
    turn: u64,
    state: T,
}

/// The right to decide once, after those before. Passed on unused where it is dropped, so
/// that nobody waits for ever.
pub(super) struct Turn<'a, T> {
    turns: &'a Turns<T>,
    number: u64,
    used: bool,
}

impl<T> Turns<T> {
    pub(super) fn new(state: T) -> Self {
        Self { now: Mutex::new(Now { turn: 0, state }), passed: Condvar::new() }
    }

    /// The turn with a number. The numbers count from 0, each is taken once, and who takes
    /// one has taken those before or works beside those who have.
    pub(super) fn turn(&self, number: u64) -> Turn<'_, T> {
        Turn { turns: self, number, used: false }
    }

    pub(super) fn into_state(self) -> T {
        self.now.into_inner().unwrap_or_else(PoisonError::into_inner).state
    }

    fn wait_for(&self, number: u64) -> MutexGuard<'_, Now<T>> {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        self.passed
            .wait_while(now, |now| now.turn != number)
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn pass_on(&self, mut now: MutexGuard<'_, Now<T>>) {
        now.turn += 1;
        self.passed.notify_all();
    }
}

impl<T> Turn<'_, T> {
    /// Waits until those before have decided, and decides.
    pub(super) fn decide<R>(mut self, decide: impl FnOnce(&mut T) -> R) -> R {
        self.used = true;
        let mut now = self.turns.wait_for(self.number);
        let decided = decide(&mut now.state);
        self.turns.pass_on(now);
        decided
    }
}

impl<T> Drop for Turn<'_, T> {
    fn drop(&mut self) {
        if !self.used {
            self.turns.pass_on(self.turns.wait_for(self.number));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel;

    #[test]
    fn decisions_keep_the_order_of_the_list() {
        let turns = Turns::new(Vec::new());
        parallel::for_each(
            0..2000u64,
            |number| {
                let turn = turns.turn(number);
                if number % 7 == 3 {
                    return;
                }
                std::thread::yield_now();
                turn.decide(|order| order.push(number));
            },
            |()| Ok::<_, ()>(()),
        )
        .unwrap();
        let expected: Vec<u64> = (0..2000).filter(|number| number % 7 != 3).collect();
        assert_eq!(turns.into_state(), expected);
    }
}
