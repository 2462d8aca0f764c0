import { findByPath } from './find-by-path.ts';

const object = {
  spec: { regions: [{ name: 'us-east' }, { name: 'eu-west' }] },
  status: {
    active: 'openai/us-east/gpt-4o',
    failovers: 0,
    conditions: [
      { type: 'Accepted', status: 'True' },
      { type: 'Healthy', status: 'Unknown' },
    ],
  },
};

describe('findByPath', () => {
  it.each([
    ['.status.active', ['openai/us-east/gpt-4o']],
    ['.status.failovers', [0]],
    ['.status.missing.deeper', []],
    ['.spec.regions[*].name', ['us-east', 'eu-west']],
    ['.spec.regions[1].name', ['eu-west']],
    ['.spec.regions[7].name', []],
    ['.status.conditions[?(@.type=="Healthy")].status', ['Unknown']],
    [".status.conditions[?(@.type=='Nope')].status", []],
  ])('finds %s', (path, found) => {
    expect(findByPath(object, path)).toEqual(found);
  });

  it.each(['status', '.status..active', '.status[active]'])('refuses %s, which it can not read', (path) => {
    expect(() => findByPath(object, path)).toThrow(SyntaxError);
  });
});
