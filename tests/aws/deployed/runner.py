"""Scenes are played one after the other; each says in a sentence what has to be true."""

import time
import traceback

SCENES = []


def scene(sentence):
    """Makes a function a scene."""

    def remember(play):
        SCENES.append((sentence, play))
        return play

    return remember


def play_all(cast):
    """Plays every scene, tells how each went and how long it took; gives the number of those that failed."""
    failed = 0
    for sentence, play in SCENES:
        begun = time.monotonic()
        try:
            play(cast)
            outcome = "passed"
        except Exception:
            failed += 1
            outcome = "FAILED"
            traceback.print_exc()
            cast.tell_what_was_logged()
        print(f"{outcome} {time.monotonic() - begun:7.2f} s  {sentence}", flush=True)
    print(f"{len(SCENES) - failed} passed, {failed} failed")
    return failed


def eventually(look, within=20):
    """Looks until there is something to see, and gives it."""
    give_up_at = time.monotonic() + within
    while not (seen := look()):
        if time.monotonic() > give_up_at:
            raise AssertionError(f"not seen within {within} s")
        time.sleep(0.05)
    return seen
