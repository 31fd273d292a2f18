# SPDX-License-Identifier: GPL-2.0-or-later
"""Bring ports that are open in another network namespace to this one.

    relay.py PID PORT...    to each PORT on the loopback where PID lives; prints the ports where it listens
"""
import asyncio
import ctypes
import os
import socket
import sys

CLONE_NEWNET = 0x40000000


def enter(pid):
    """What this process opens from now on, it opens there; what was open stays where it is."""
    namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(namespace, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


async def copy(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def serve(listener, port):
    async def connected(reader, writer):
        try:
            there = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(copy(reader, there[1]), copy(there[0], writer))

    async with await asyncio.start_server(connected, sock=listener) as server:
        await server.serve_forever()


async def main(pid, ports):
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in ports]
    enter(pid)
    print(*(listener.getsockname()[1] for listener in listeners), flush=True)
    await asyncio.gather(*map(serve, listeners, ports))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), [int(port) for port in sys.argv[2:]]))
