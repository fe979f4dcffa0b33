import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { UsageError } from '../trouble.ts';

/** Where /metrics is. */
export interface MetricsAddress {
  readonly host: string;
  readonly port: number;
}

/** Connections at once. */
const CONNECTIONS_MOST = 64;

/** Reads `ADDRESS:PORT`, `[ADDRESS]:PORT` or `:PORT` and `PORT`, which mean loopback. @throws UsageError */
export function metricsAddress(text: string): MetricsAddress {
  const match = /^(?:(\[[\da-f:.]+\]|[^:[\]]*):)?(\d{1,5})$/i.exec(text);
  const port = Number(match?.[2] ?? -1);
  if (match === null || port > 65535)
    throw new UsageError(`bad value '${text}' of --metrics: expected ADDRESS:PORT, such as 127.0.0.1:9100`);
  const host = (match[1] ?? '').replace(/[[\]]/g, '');
  return { host: host === '' ? '127.0.0.1' : host, port };
}

/** What the server tells. */
export interface MetricsPages {
  /** The page of /metrics. */
  metrics(): Promise<string>;
  /** What is wrong, null if nothing is. */
  trouble(): string | null;
}

/** /metrics and /health over HTTP, to be read only. */
export class MetricsServer {
  private readonly pages: MetricsPages;
  private readonly server: Server;

  constructor(pages: MetricsPages) {
    this.pages = pages;
    this.server = createServer(
      { headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 30_000, maxHeaderSize: 8192 },
      (request, response) => {
        this.answer(request, response).catch(() => response.destroy());
      },
    );
    this.server.maxConnections = CONNECTIONS_MOST;
  }

  /** @returns the port. @throws UsageError if it cannot listen there */
  async listen({ host, port }: MetricsAddress): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', (error) =>
        reject(new UsageError(`cannot open --metrics ${host}:${port}: ${error.message}`, false)),
      );
      this.server.listen(port, host, resolve);
    });
    this.server.on('error', () => {});
    return (this.server.address() as { port: number }).port;
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').replace(/\?.*$/, '');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
    } else if (path === '/metrics') {
      const text = await this.pages.metrics();
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text);
    } else if (path === '/health') {
      const trouble = this.pages.trouble();
      const body = trouble === null ? { status: 'ok' } : { status: 'failing', reason: trouble };
      response
        .writeHead(trouble === null ? 200 : 503, { 'content-type': 'application/json' })
        .end(`${JSON.stringify(body)}\n`);
    } else response.writeHead(404, { 'content-type': 'text/plain' }).end('/metrics and /health are here\n');
  }
}
