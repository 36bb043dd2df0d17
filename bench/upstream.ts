import { createServer } from 'node:http';

/**
 * A CI that answers every question with one build. `upstream.ts <port> <bytes> <delay in ms> [list]`, with `list` of
 * many small records, which are the most work to read; `/asked` tells how many questions there were.
 */
const [port = '0', bytes = '2000', delayMs = '0', kind = 'text'] = process.argv.slice(2);
const RECORD = { id: 1234567, status: 'green', branch: 'main', commit: '0123456789abcdef', urls: { web: '/builds/1' } };
const size = Math.max(0, Number(bytes) - 60);
const filler =
  kind === 'list' ? Array(Math.floor(size / (JSON.stringify(RECORD).length + 1))).fill(RECORD) : 'x'.repeat(size);
const body = Buffer.from(JSON.stringify({ status: 'green', number: 41, filler }));
let asked = 0;

createServer(({ url }, response) => {
  if (url === '/asked') {
    response.end(String(asked));
    return;
  }
  asked += 1;
  setTimeout(() => {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length }).end(body);
  }, Number(delayMs));
}).listen(Number(port), '127.0.0.1');
