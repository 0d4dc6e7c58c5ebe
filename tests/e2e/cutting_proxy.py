"""TCP proxies that cut connections: right after a certain text has passed to the client, or when nothing has for long."""
import socket
import struct
import threading


class CuttingProxy:
    """with CuttingProxy(port, text, most) as proxy: what connects to proxy.port is connected to port. At most so many
    connections are cut, and only those whose last request was of the method, if one is given."""

    def __init__(self, port, text, most=1, method=b""):
        self.target = port
        self.text = text
        self.most = most
        self.method = method.lower()
        self.cuts = 0
        self.requests = []  # what came from clients, in lower case, where it begins with a request's head
        self.lock = threading.Lock()

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            heads = []  # of the requests on this connection
            threading.Thread(target=self._upstream, args=(client, server, heads), daemon=True).start()
            threading.Thread(target=self._downstream, args=(client, server, heads), daemon=True).start()

    def _upstream(self, client, server, heads):
        try:
            while data := client.recv(65536):
                if b" HTTP/1.1\r\n" in data:
                    heads.append(data.lower())
                    self.requests.append(heads[-1])
                server.sendall(data)
        except OSError:
            pass
        self._end(client, server)

    def _downstream(self, client, server, heads):
        seen = b""
        try:
            while data := server.recv(65536):
                client.sendall(data)
                seen = seen[-len(self.text):] + data
                if self.text in seen and heads[-1].startswith(self.method) and self._may_cut():
                    client.shutdown(socket.SHUT_WR)  # what was sent arrives; the end in the middle of it does too
                    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    break
        except OSError:
            pass
        self._end(client, server)

    def _may_cut(self):
        with self.lock:
            if self.cuts == self.most:
                return False
            self.cuts += 1
            return True

    @staticmethod
    def _end(client, server):
        for one in (client, server):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()


class SilenceCuttingProxy(CuttingProxy):
    """Cuts a connection on which nothing came from the server for so many seconds, as load balancers do."""

    def __init__(self, port, seconds):
        super().__init__(port, b"")
        self.seconds = seconds

    def _downstream(self, client, server, heads):
        server.settimeout(self.seconds)
        try:
            while data := server.recv(65536):
                client.sendall(data)
        except TimeoutError:
            self.cuts += 1
        except OSError:
            pass
        self._end(client, server)
