import { createServer } from 'node:http';

/**
 * A CI that answers every question with one build. `upstream.ts <port> <bytes> <delay in ms>`; `/asked` tells how many
 * questions there were.
 */
const [port = '0', bytes = '2000', delayMs = '0'] = process.argv.slice(2);
const build = { status: 'green', number: 41, filler: 'x'.repeat(Math.max(0, Number(bytes) - 60)) };
const body = Buffer.from(JSON.stringify(build));
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
