"""Users still get replies to their frames while hundreds of others connect and disconnect."""
import threading
import time

from conftest import Server, eventually
from storm import storm, users_at

SECONDS, RATE = 4, 200


def stormed(*args, kinds):
    server = Server("--log-level", "warn", "--max-wait", "60000", *args)
    with users_at(server, 2) as users:
        time.sleep(2)
        before, open_before = [len(user.took) for user in users], server.descriptors()["socket"]
        counts = {}
        thread = threading.Thread(target=lambda: counts.update(
            storm(server.port, RATE, SECONDS, kinds, nice=5)))
        thread.start()
        thread.join()
        during = [len(user.took) - count for user, count in zip(users, before)]
        assert not any(user.refused for user in users)
        assert all(user.is_alive() for user in users)
    eventually(lambda: server.descriptors()["socket"] <= open_before)
    left = server.descriptors()["socket"] - open_before
    sessions = server.metric('lacquer_sessions{transport="lacquer.v1"}')
    status, said = server.stop()
    assert status == 0, said
    # Checks progress, not time: each user is served during the storm, and so is the storm.
    assert min(during) >= 3, (during, counts)
    for kind in kinds:
        done, failed = counts[kind]
        assert done >= 5 and failed <= done / 5, counts
    assert left <= 0 and sessions == 0


def test_users_are_served_during_a_storm_of_connections():
    stormed(kinds="cw")


def test_users_are_served_during_a_storm_of_tls_handshakes():
    stormed("--tls-self-signed", kinds="cts")
