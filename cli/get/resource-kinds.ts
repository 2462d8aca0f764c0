import { KINDS, type KindDefinition } from '../../crds/kinds.ts';
import { GROUP } from '../../crds/names.ts';
import { usageError } from '../cli-error.ts';

export type ResourceKind = Pick<KindDefinition, 'kind' | 'plural'>;

/** Every name that kubectl would take for a kind. */
export function namesOf({ plural, singular, shortName }: KindDefinition): string[] {
  return [plural, singular, shortName];
}

/** `modelroutes,pep` → both kinds; `understudy`, the category, stands for all. */
export function readResourceKinds(text: string): ResourceKind[] {
  const all = Object.values(KINDS);
  const kinds = text.split(',').flatMap((name) => {
    const plain = name.toLowerCase().replace(`.${GROUP}`, '');
    if (plain === 'understudy' || plain === 'all') return all;
    const kind = all.find((each) => namesOf(each).includes(plain));
    if (kind !== undefined) return [kind];
    throw usageError(
      `"${name}" is no kind of Understudy: take ${all.map((each) => namesOf(each).join(' or ')).join(', ')}`,
      'get',
    );
  });
  return [...new Set(kinds)];
}
