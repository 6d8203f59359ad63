/* context_switch.S: context_switch(void **ret_from, void *to): keeps what a callee keeps on the stack,
 * hands its pointer out by *ret_from, and goes on with the stack `to`, on which the same lies.
 * System V ABI, AMD64 supplement 3.2.1; AAPCS64 6.1. No shadow stack and no landing pads: the missing
 * note makes the linker leave both off. AAPCS64 takes the rounding mode for the program's, x86-64 for a
 * function's: here each context has its own. */
#if defined(__x86_64__)
        .text
        .globl  context_switch
        .type   context_switch, @function
        .align  16
context_switch:
        .cfi_startproc
        pushq   %rbp
        pushq   %rbx
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        subq    $8, %rsp
        stmxcsr (%rsp)
        fnstcw  4(%rsp)
        movq    %rsp, (%rdi)
        movq    %rsi, %rsp
        ldmxcsr (%rsp)
        fldcw   4(%rsp)
        addq    $8, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbx
        popq    %rbp
        ret
        .cfi_endproc
        .size   context_switch, . - context_switch

/* Where a new context begins: its function's argument lies in r12, the function in r13. */
        .globl  context_begin
        .type   context_begin, @function
        .align  16
context_begin:
        .cfi_startproc
        .cfi_undefined rip              /* nobody has called it: unwinding ends here */
        movq    %r12, %rdi
        callq   *%r13
        ud2
        .cfi_endproc
        .size   context_begin, . - context_begin
#elif defined(__aarch64__)
        .text
        .globl  context_switch
        .type   context_switch, %function
        .align  4
context_switch:
        .cfi_startproc
        sub     sp, sp, #176
        mrs     x3, fpcr
        stp     x19, x20, [sp]
        stp     x21, x22, [sp, #16]
        stp     x23, x24, [sp, #32]
        stp     x25, x26, [sp, #48]
        stp     x27, x28, [sp, #64]
        stp     x29, x30, [sp, #80]
        stp     d8, d9, [sp, #96]
        stp     d10, d11, [sp, #112]
        stp     d12, d13, [sp, #128]
        stp     d14, d15, [sp, #144]
        str     x3, [sp, #160]
        mov     x2, sp
        str     x2, [x0]
        mov     sp, x1
        ldp     x19, x20, [sp]
        ldp     x21, x22, [sp, #16]
        ldp     x23, x24, [sp, #32]
        ldp     x25, x26, [sp, #48]
        ldp     x27, x28, [sp, #64]
        ldp     x29, x30, [sp, #80]
        ldp     d8, d9, [sp, #96]
        ldp     d10, d11, [sp, #112]
        ldp     d12, d13, [sp, #128]
        ldp     d14, d15, [sp, #144]
        ldr     x4, [sp, #160]
        add     sp, sp, #176
        cmp     x3, x4                  /* to write it takes long, and it hardly ever differs */
        b.eq    1f
        msr     fpcr, x4
1:
        ret
        .cfi_endproc
        .size   context_switch, . - context_switch

/* Where a new context begins: its function's argument lies in x19, the function in x20. */
        .globl  context_begin
        .type   context_begin, %function
        .align  4
context_begin:
        .cfi_startproc
        .cfi_undefined x30
        mov     x0, x19
        blr     x20
        brk     #1
        .cfi_endproc
        .size   context_begin, . - context_begin
#endif
        .section .note.GNU-stack, "", %progbits
