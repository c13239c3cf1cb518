/* A directory of its own for a guest test that makes files: below $TMPDIR or /tmp, gone at its end.
 */
#ifndef FERRY_TESTS_SCRATCH_H
#define FERRY_TESTS_SCRATCH_H

/* Makes the directory and goes into it. Ends the test where that cannot be. */
void scratch_enter(void);
/* Removes it, with all that is in it. */
void scratch_leave(void);

#endif
