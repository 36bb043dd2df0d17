import { createServer } from 'node:http';

/** `crowd.ts <port> <upstream>`: a bare server that lets all requests wait for one answer of an upstream, and draws nothing. */
const [port = '0', upstream = ''] = process.argv.slice(2);
const body = 'x'.repeat(1_282);
let answer: Promise<unknown> | undefined;

createServer(async ({ url }, response) => {
  if (url !== '/ready') {
    answer ??= fetch(upstream).then((got) => got.json());
    await answer;
    answer = undefined;
  }
  response.writeHead(200, { 'Badge-State': 'success', 'Content-Length': body.length }).end(body, 'latin1');
}).listen(Number(port), '127.0.0.1');
