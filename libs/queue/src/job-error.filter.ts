import { Catch, type ExceptionFilter } from '@nestjs/common';
import { type Observable, throwError } from 'rxjs';

/**
 * Lets an error through as it is. Without it Nest turns all but its own exceptions into "Internal server error", and
 * the code by which the ledger decides about the next attempt would be gone.
 */
@Catch()
export class JobErrorFilter implements ExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}
