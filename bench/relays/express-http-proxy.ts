import { Agent, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import express from 'express';
import httpProxy from 'http-proxy';

/**
 * What one writes first: express in front, http-proxy behind, with keep-alive on both sides. It does the floor's work: the body is
 * read and parsed once for its model, then relayed.
 *
 * Usage: `node bench/relays/express-http-proxy.ts PORT UPSTREAM_PORT`
 */
const [port, upstreamPort] = process.argv.slice(2);
const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${upstreamPort}`,
  agent: new Agent({ keepAlive: true }),
});
proxy.on('error', (error, _request, response) => {
  const answer = response as ServerResponse;
  if (answer.headersSent) answer.destroy();
  else answer.writeHead(502, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { message: error.message } }));
});

const app = express();
app.disable('x-powered-by');
app.post('/v1/chat/completions', express.raw({ type: '*/*', limit: '10mb' }), (request, response) => {
  const body: Buffer = request.body;
  let model: unknown;
  try {
    model = JSON.parse(body.toString()).model;
  } catch {
    model = undefined;
  }
  if (typeof model !== 'string') {
    response.status(400).json({ error: { message: 'the body is not JSON with a model' } });
    return;
  }
  proxy.web(request, response, { buffer: Readable.from([body]) });
});
app.listen(Number(port), '127.0.0.1').keepAliveTimeout = 60_000;
