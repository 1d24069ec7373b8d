import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands where the query service would be: notes what reaches it, and answers as the test says. */
export class FakeQueryService {
  readonly requests: {
    readonly url: string;
    readonly headers: IncomingMessage['headers'];
    readonly body: string;
    /** Of the connection, at the gateway's side. */
    readonly port: number | undefined;
  }[] = [];
  /** Answers at once unless a test replaces it. */
  answer: (response: ServerResponse) => void = (response) =>
    void response.setHeader('content-type', 'application/json').end('{"rows":[]}');

  private constructor(private readonly server: Server) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.take(request, response));
  }

  static async start(): Promise<FakeQueryService> {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new FakeQueryService(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request.setEncoding('utf8') as AsyncIterable<string>) body += chunk;
    const { url = '', headers, socket } = request;
    this.requests.push({ url, headers, body, port: socket.remotePort });
    this.answer(response);
  }
}
