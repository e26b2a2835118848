"""Relays between camera, program and destination that note when each picture passes, by one clock.

Camera side: RTP packets inside the RTSP connection (RFC 2326 §10.12); a picture is in when the packet with the marker bit
is. Destination side: RTMP chunks; a picture is out when the last byte of its video message is.
"""

import socket
import struct
import threading
import time


class Relay:
    """Accepts one connection after the other and passes bytes on; `seen` gets each side's bytes with their time."""

    def __init__(self, host, port):
        self.target = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.target)
            for side in (client, server):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.opened()
            for source, sink, seen in ((client, server, self.from_client), (server, client, self.from_server)):
                threading.Thread(target=self.copy, args=(source, sink, seen), daemon=True).start()

    def copy(self, source, sink, seen):
        try:
            while data := source.recv(1 << 16):
                seen(time.monotonic(), data)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.listener.close()

    def opened(self):
        pass

    def from_client(self, now, data):
        pass

    def from_server(self, now, data):
        pass


class RtspTap(Relay):
    """`pictures`: RTP timestamp of a video picture to the time it was complete. Video is the first channel."""

    def __init__(self, host, port):
        self.pictures = {}
        super().__init__(host, port)

    def opened(self):
        self.buffer = bytearray()

    def from_server(self, now, data):
        buffer = self.buffer
        buffer += data
        while buffer:
            if buffer[0] != 0x24:  # a reply of RTSP: up to the next interleaved packet
                at = buffer.find(b"$\x00")
                end = buffer.find(b"\r\n\r\n")
                if end < 0 or (0 <= at < end):
                    del buffer[: at if at >= 0 else len(buffer)]
                    if at < 0:
                        return
                    continue
                head = bytes(buffer[:end]).lower()
                length = 0
                for line in head.split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                if len(buffer) < end + 4 + length:
                    return
                del buffer[: end + 4 + length]
                continue
            if len(buffer) < 4:
                return
            channel, size = buffer[1], struct.unpack_from(">H", buffer, 2)[0]
            if len(buffer) < 4 + size:
                return
            if channel == 0 and size > 12 and buffer[5] & 0x80:
                self.pictures[struct.unpack_from(">I", buffer, 8)[0]] = now
            del buffer[: 4 + size]


class RtmpTap(Relay):
    """`messages`: (time, presentation time in ms) of each video message; `save` writes all of them as FLV."""

    def __init__(self, host, port):
        self.messages, self.tags = [], []
        super().__init__(host, port)

    def opened(self):
        self.buffer = bytearray()
        self.skip = 1 + 1536 + 1536  # the handshake
        self.chunk_size = 128
        self.streams = {}

    def from_client(self, now, data):
        self.buffer += data
        if self.skip:
            gone = min(self.skip, len(self.buffer))
            del self.buffer[:gone]
            self.skip -= gone
        while not self.skip and self.chunk(now):
            pass

    def chunk(self, now):
        """Takes one chunk (RTMP 1.0 §5.3.1); False when it is not complete yet."""
        buffer = self.buffer
        if not buffer:
            return False
        kind, number, at = buffer[0] >> 6, buffer[0] & 63, 1
        if number < 2:
            at += 1 + number
            if len(buffer) < at:
                return False
            number = 64 + buffer[1] + (256 * buffer[2] if at == 3 else 0)
        head = (11, 7, 3, 0)[kind]
        if len(buffer) < at + head + 4:
            return False
        stream = self.streams.setdefault(number, {"time": 0, "delta": 0, "size": 0, "type": 0, "wide": False, "data": bytearray()})
        first = not stream["data"]
        field = int.from_bytes(buffer[at : at + 3], "big") if head else None
        wide = field == 0xFFFFFF if head else stream["wide"]
        size = int.from_bytes(buffer[at + 3 : at + 6], "big") if head >= 7 else stream["size"]
        type_ = buffer[at + 6] if head >= 7 else stream["type"]
        at += head
        if wide:
            field = int.from_bytes(buffer[at : at + 4], "big")
            at += 4
        length = min(self.chunk_size, size - len(stream["data"]))
        if len(buffer) < at + length:
            return False
        if first:
            if kind == 0:
                stream["time"], stream["delta"] = field, 0
            else:
                if head:
                    stream["delta"] = field
                stream["time"] += stream["delta"]
        stream.update(size=size, type=type_, wide=wide)
        stream["data"] += buffer[at : at + length]
        del buffer[: at + length]
        if len(stream["data"]) == size:
            self.message(now, type_, stream["time"], bytes(stream["data"]))
            stream["data"] = bytearray()
        return True

    def message(self, now, type_, stamp, data):
        if type_ == 1:
            self.chunk_size = int.from_bytes(data[:4], "big")
        if type_ == 9 and len(data) > 5:
            self.tags.append((stamp, data))
            if data[1] == 1:  # a picture, not the header (FLV E.4.3.1)
                offset = int.from_bytes(data[2:5], "big", signed=True)
                self.messages.append((now, stamp + offset))

    def save(self, path):
        with open(path, "wb") as out:
            out.write(b"FLV\x01\x01\x00\x00\x00\x09\x00\x00\x00\x00")
            for stamp, data in self.tags:
                head = b"\x09" + len(data).to_bytes(3, "big") + (stamp & 0xFFFFFF).to_bytes(3, "big") + bytes([stamp >> 24 & 0xFF]) + b"\0\0\0"
                out.write(head + data + (11 + len(data)).to_bytes(4, "big"))
