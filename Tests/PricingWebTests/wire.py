"""Peers of the gateway that no browser is: wire.py NAME BASE [COUNT]. It fails by an exception."""
import concurrent.futures
import http.client
import socket
import sys
import threading
import time


def connect(base, options=()):
    host, port = base.removeprefix("http://").split(":")
    peer = socket.socket()
    peer.settimeout(20)
    for option in options:
        peer.setsockopt(*option)
    peer.connect((host, int(port)))
    return peer, f"{host}:{port}"


def stream(base, options=()):
    peer, host = connect(base, options)
    peer.sendall(f"GET /api/events HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    file = peer.makefile("rb")
    status = int(file.readline().split()[1])
    return peer, file, status


def ask(base):
    """One ordinary page: how long it took."""
    begun = time.monotonic()
    peer, host = connect(base)
    peer.sendall(f"GET /store HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    text = b""
    while part := peer.recv(65536):
        text += part
    assert text.startswith(b"HTTP/1.1 200"), text[:200]
    return time.monotonic() - begun


def streams(base, count):
    opened = [stream(base) for _ in range(int(count))]
    for _, file, status in opened:
        assert status == 200
        while file.readline() != b"event: link\n":
            pass
    print("open", flush=True)
    for _, file, _ in opened:
        while file.readline():
            pass
    print("all ended", flush=True)


def silent(base, count):
    """Streams of which nothing is read, over connections for which the kernel keeps little."""
    little = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304), (socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)]
    opened = [stream(base, little) for _ in range(int(count))]
    assert {status for _, _, status in opened} == {200}
    print("open", flush=True)
    sys.stdin.readline()
    for _, file, _ in opened:
        taken = 0
        try:
            while part := file.read1(65536):
                taken += len(part)
        except ConnectionResetError:
            pass
        assert taken < 2_000_000, taken
    print("all ended", flush=True)


def throng(base, count):
    """Connections that say nothing: the first of them are taken; once they go, others are served."""
    peers = [connect(base)[0] for _ in range(int(count))]
    first, host = peers[0], base.removeprefix("http://")
    for _ in range(100):
        first.sendall(f"GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert first.recv(65536).startswith(b"HTTP/1.1 200")
    print("open", flush=True)
    sys.stdin.readline()
    for peer in peers:
        peer.close()
    ask(base)


def pages(base, count):
    """The catalogue, again and again, by eight at a time."""
    def look(number):
        host = base.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=20)
        for _ in range(number):
            connection.request("GET", "/store")
            reply = connection.getresponse()
            assert reply.status == 200 and reply.read()

    count, hands = int(count), min(8, int(count))
    with concurrent.futures.ThreadPoolExecutor(hands) as pool:
        list(pool.map(look, [count // hands + (1 if hand < count % hands else 0) for hand in range(hands)]))


def dripping(base, told):
    peer, host = connect(base)
    peer.sendall(f"POST /rpc HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer x\r\nContent-Length: 1000\r\n\r\n".encode())
    begun = time.monotonic()
    peer.settimeout(0.5)
    while True:
        try:
            answer = peer.recv(1000)
            break
        except TimeoutError:
            pass
        assert time.monotonic() - begun < 15, "a body may drip for ever"
        peer.sendall(b" ")
    told.append((time.monotonic() - begun, answer.split(b"\r\n")[0]))


def slow(base):
    told = []
    drip = threading.Thread(target=dripping, args=(base, told))
    drip.start()
    half_open = []
    for _ in range(300):
        peer, host = connect(base)
        peer.sendall(f"GET /store HTTP/1.1\r\nHost: {host}\r\nX-Half".encode())
        half_open.append(peer)
    assert max(ask(base) for _ in range(5)) < 1, "half-open peers hold others up"
    first, second = stream(base), stream(base)
    assert (first[2], second[2]) == (200, 200)
    assert stream(base)[2] == 429, "a third stream of one address"
    first[0].shutdown(socket.SHUT_RDWR)
    begun = time.monotonic()
    while stream(base)[2] != 200:
        assert time.monotonic() - begun < 5, "a stream that ended leaves no place"
    drip.join()
    assert told[0][1].startswith(b"HTTP/1.1 408") and 9 < told[0][0] < 12, told
    assert max(ask(base) for _ in range(5)) < 1
    for peer in half_open:
        peer.close()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
