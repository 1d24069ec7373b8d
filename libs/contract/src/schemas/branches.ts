import { z } from 'zod';

interface Branches<A, B> {
  /** The branch that a value is meant for, by its shape alone; undefined when it is meant for none or several. */
  readonly choose: (value: unknown) => A | B | undefined;
  /** What to say of a value that is meant for no branch. */
  readonly error: string;
}

/**
 * A union whose values show which branch they are meant for: what is wrong is told of that branch, at its place. A
 * plain union would only say that the whole value fits none.
 */
export function branchesOf<A extends z.ZodType, B extends z.ZodType>(
  branches: readonly [A, B],
  { choose, error }: Branches<A, B>,
) {
  const union = z.union(branches, { error });
  return z.preprocess((value: z.input<A> | z.input<B>, context) => {
    const issues = choose(value)?.safeParse(value).error?.issues ?? [];
    for (const issue of issues) context.addIssue({ ...issue });
    return value;
  }, union);
}
