import { createServer } from 'node:http';

/**
 * The limit: a bare node:http server that sends the same bytes. `limit.ts <port> <bytes> [upstream]`; with an upstream it
 * asks that for JSON first, and draws nothing: the limit of a badge that was never asked for.
 */
const [port = '0', bytes = '1282', upstream] = process.argv.slice(2);
const body = Buffer.alloc(Number(bytes), 'x');
const headers = { 'Content-Type': 'image/svg+xml', 'Content-Length': body.length };

if (upstream === undefined) {
  createServer((_request, response) => {
    response.writeHead(200, headers).end(body);
  }).listen(Number(port), '127.0.0.1');
} else {
  const { Agent, request } = await import('undici');
  const dispatcher = new Agent({ connections: 8 });
  createServer(async ({ url }, response) => {
    const answer = await request(`${upstream}${url}`, { dispatcher });
    await answer.body.json();
    response.writeHead(200, headers).end(body);
  }).listen(Number(port), '127.0.0.1');
}
