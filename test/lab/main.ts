import { parseArgs } from 'node:util';
import { faultPreset } from './faults.ts';
import { createLab } from './lab.ts';
import { createLabControl } from './lab-control.ts';

const { values } = parseArgs({
  options: {
    name: { type: 'string', default: 'primary' },
    port: { type: 'string', default: '0' },
    control: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    fault: { type: 'string' },
    tls: { type: 'boolean', default: false },
  },
});

const lab = createLab({ name: values.name, seed: Number(values.seed), tls: values.tls });
const control = createLabControl(lab);
const { baseURL } = await lab.start(Number(values.port));
const controlURL = await control.start(Number(values.control));
const preset = values.fault === undefined ? undefined : faultPreset(values.fault);
if (values.fault !== undefined && !preset)
  throw new Error(`there is no fault ${values.fault}: GET ${controlURL}/lab/faults lists them`);
if (preset) await lab.setFault(preset.fault, preset.match);
console.log(JSON.stringify({ name: values.name, baseURL, control: controlURL, ca: lab.ca }));

const stop = async () => {
  await Promise.all([lab.stop(), control.stop()]);
  process.exit(0);
};
process.once('SIGINT', () => void stop());
process.once('SIGTERM', () => void stop());
