/*
 * startup.S - reset of a RISC-V hart: a trap handler, a global pointer, a stack.
 */
  .section .vectors, "ax"
  .globl reset
reset:
  la t0, trap
  csrw mtvec, t0
  .option push
  .option norelax
  la gp, __global_pointer$
  .option pop
  la sp, __stack_top
  tail start

  .align 2
trap:
  tail fault
