import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Fault, FaultMatch } from './fault.ts';
import { FAULTS, faultPreset } from './faults.ts';
import type { Lab } from './lab.ts';
import type { LabRequest } from './lab-request.ts';

export interface LabControl {
  /** Resolves with the address, without a trailing slash. */
  start(port?: number): Promise<string>;
  stop(): Promise<void>;
}

/** Requests that a list shows: the newest ones. */
const SHOWN_REQUESTS = 200;
const MAX_COMMAND_BYTES = 1024 * 1024;

/**
 * Switches a lab over HTTP, on a port of its own that no fault touches:
 *
 * - `PUT /lab/fault/hang`, or `PUT /lab/fault` with `{name, match?}` or `{fault, match?}`; `DELETE /lab/fault`
 * - `GET /lab/fault`, `GET /lab/faults`, `GET /lab/requests`, `DELETE /lab/requests`
 */
export function createLabControl(lab: Lab): LabControl {
  let current: unknown = null;
  const setFault = async (command: { name?: string; fault?: Fault; match?: FaultMatch }) => {
    const preset = command.name === undefined ? undefined : faultPreset(command.name);
    if (command.name !== undefined && !preset) {
      throw new CommandError(`there is no fault ${command.name}: GET /lab/faults lists them`);
    }
    const fault = preset?.fault ?? command.fault;
    if (!fault) throw new CommandError('say which fault: {"name": "hang"}, or {"fault": {"kind": …}}');
    await lab.setFault(fault, command.match ?? preset?.match);
    current = command;
    return { lab: lab.name, fault: current };
  };
  const answer = async (method: string, path: string, body: string): Promise<unknown> => {
    const named = /^\/lab\/fault\/([^/]+)$/.exec(path)?.[1];
    switch (`${method} ${named ? '/lab/fault/…' : path}`) {
      case 'PUT /lab/fault/…':
        return setFault({ name: named!, ...(body && (JSON.parse(body) as object)) });
      case 'PUT /lab/fault':
        return setFault(JSON.parse(body || '{}'));
      case 'DELETE /lab/fault':
        await lab.setFault(undefined);
        current = null;
        return { lab: lab.name, fault: current };
      case 'GET /lab/fault':
        return { lab: lab.name, fault: current };
      case 'GET /lab/faults':
        return Object.entries(FAULTS).map(([name, preset]) => ({ name, description: preset.description }));
      case 'GET /lab/requests':
        return { counters: { ...lab.counters, byKey: undefined }, requests: lab.requests.slice(-SHOWN_REQUESTS).map(show) };
      case 'DELETE /lab/requests':
        await lab.reset();
        current = null;
        return { lab: lab.name, fault: current };
      default:
        return undefined;
    }
  };
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const reply = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(`${JSON.stringify(body, undefined, 2)}\n`);
    };
    try {
      const said = await answer(request.method ?? '', (request.url ?? '').split('?')[0] ?? '', await readCommand(request));
      if (said === undefined) reply(404, { error: 'PUT or DELETE /lab/fault, GET /lab/faults, GET /lab/requests' });
      else reply(200, said);
    } catch (error) {
      reply(400, { error: (error as Error).message });
    }
  };
  const server = createServer((request, response) => void handle(request, response));
  return {
    async start(port = 0) {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

class CommandError extends Error {}

async function readCommand(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of request.setEncoding('utf8')) {
    text += piece;
    if (text.length > MAX_COMMAND_BYTES) throw new CommandError('the command is too long');
  }
  return text;
}

/** Headers, bodies and counts by key are left out: a key stands in them. */
function show({ number, time, method, path, model, stream, bodySha256, fault, status, outcome, understudy }: LabRequest): object {
  return {
    number,
    time: new Date(time).toISOString(),
    method,
    path,
    model,
    stream,
    bodySha256,
    fault,
    status,
    outcome,
    understudy,
  };
}
