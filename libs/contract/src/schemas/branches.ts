import { z } from 'zod';

interface Branches<B> {
  /** The branch that a value is meant for, by its shape alone; undefined when it is meant for none or several. */
  readonly choose: (value: unknown) => B | undefined;
  /** What to say of a value that is meant for no branch. */
  readonly error: string;
}

/**
 * A union whose values show which branch they are meant for: what is wrong is told of that branch, at its place. A
 * plain union would only say that the whole value fits none.
 */
export function branchesOf<const B extends readonly [z.ZodType, ...z.ZodType[]]>(
  branches: B,
  { choose, error }: Branches<B[number]>,
) {
  const union = z.union(branches, { error });
  return z.preprocess((value: z.input<B[number]>, context) => {
    const issues = choose(value)?.safeParse(value).error?.issues ?? [];
    for (const issue of issues) context.addIssue({ ...issue });
    return value;
  }, union);
}
