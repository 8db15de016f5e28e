#!/usr/bin/env python3
"""A TCP proxy that cuts connections: after the request was passed on, or instead of passing the answer.

usage: proxy.py --listen PORT --to PORT [--cut SHARE] [--seed N]
"""
import argparse
import asyncio
import random


class Proxy:
    def __init__(self, port, cut, rng):
        self.port, self.cut, self.rng = port, cut, rng

    async def pass_on(self, reader, writer, cut_instead):
        """Until either side ends. A cut drops the bytes at hand (answers), or passes them on and then
        closes (requests): what the server does with them, the client never learns."""
        try:
            while data := await reader.read(65536):
                cut = self.rng.random() < self.cut
                if cut and cut_instead:
                    return
                writer.write(data)
                await writer.drain()
                if cut:
                    return
        except OSError:
            return

    async def serve(self, client_reader, client_writer):
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            client_writer.close()
            return
        ways = [asyncio.ensure_future(self.pass_on(client_reader, server_writer, False)),
                asyncio.ensure_future(self.pass_on(server_reader, client_writer, True))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        client_writer.close()
        server_writer.close()
        for way in ways:
            way.cancel()


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", type=int, required=True)
    parser.add_argument("--to", type=int, required=True)
    parser.add_argument("--cut", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    proxy = Proxy(options.to, options.cut, random.Random(options.seed))
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", options.listen)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
