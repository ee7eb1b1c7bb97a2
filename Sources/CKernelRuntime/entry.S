/* The way into the kernel and out of it, on the platform `process`.
 *
 * A program enters by a rewritten site (pv_entry_site) or, from a site that is not rewritten, by
 * SIGSYS (pv_signal_entry). Both build a struct pv_frame at the top of the thread's kernel stack.
 * %gs points at the thread area. Host signals that land here never nest deeper than one: they set
 * `pending`, or move a `rip` that stands in one of the three windows marked below.
 */
#define T_SELF 0
#define T_STACK_TOP 8
#define T_USER_RSP 16
#define T_FRAME 24
#define T_PENDING 32
#define T_IN_USE 36
#define T_HOST_PROCESS 48
#define T_HOST_THREAD 52
#define T_KICKABLE 60
#define T_USER_RIP 64
#define T_CLONE_FLAGS 72
#define T_CLONE_AREA 80
#define T_CLONE_TLS 88
#define T_SIGNAL_STACK 96
#define T_DISPATCH_START 120
#define T_DISPATCH_LENGTH 128
#define T_IN_CLOCK 144

/* struct pv_frame */
#define F_R11 48
#define F_RAX 80
#define F_RCX 88
#define F_ORIG_RAX 120
#define F_RIP 128
#define F_EFLAGS 144
#define F_SIZE 168

/* ucontext: uc_mcontext starts at 40; registers in the order of REG_R8 ... */
#define U_R8 40
#define U_R9 48
#define U_R10 56
#define U_R11 64
#define U_R12 72
#define U_R13 80
#define U_R14 88
#define U_R15 96
#define U_RDI 104
#define U_RSI 112
#define U_RBP 120
#define U_RBX 128
#define U_RDX 136
#define U_RAX 144
#define U_RCX 152
#define U_RSP 160
#define U_RIP 168
#define U_EFLAGS 176
#define U_ERR 192
#define U_TRAPNO 200
#define U_CR2 216
#define U_FPSTATE 224

#define SIGILL 4
#define SIGTRAP 5
#define SIGBUS 7
#define SIGFPE 8
#define SIGSEGV 11
#define SIGSYS 31
#define SIGKICK 23                      /* PV_KICK_SIGNAL */

    .section .text.entry, "ax", @progbits
    .globl KernelImage_main, pv_boot_entry
KernelImage_main:
/* rdi: nothing. The host jumps here once, on any stack, before Syscall User Dispatch is on. */
pv_boot_entry:
    lea __threads_start(%rip), %rbx
    wrgsbase %rbx
    mov %rbx, T_SELF(%rbx)
    lea 0x10000(%rbx), %rax
    mov %rax, T_STACK_TOP(%rbx)
    lea -F_SIZE(%rax), %rsp
    mov %rsp, T_FRAME(%rbx)
    movl $1, T_IN_USE(%rbx)
    lea 0x4000(%rbx), %rax
    mov %rax, T_SIGNAL_STACK(%rbx)
    movq $0, T_SIGNAL_STACK+8(%rbx)
    movq $0x4000, T_SIGNAL_STACK+16(%rbx)
    call pv_arm_thread
    sub $8, %rsp
    call kernel_boot
    add $8, %rsp
    jmp pv_exit_action

/* Sets up this host thread: signal stack, and Syscall User Dispatch around the gadget. */
pv_arm_thread:
    mov $131, %eax                      /* sigaltstack */
    mov %gs:T_SELF, %rdi
    lea T_SIGNAL_STACK(%rdi), %rdi
    xor %esi, %esi
    call pv_gadget_raw
    mov $157, %eax                      /* prctl(PR_SET_SYSCALL_USER_DISPATCH, ON, start, length, 0) */
    mov $59, %edi
    mov $1, %esi
    lea pv_gadget_start(%rip), %rdx
    mov $pv_gadget_length, %r10d
    xor %r8d, %r8d
    xor %r9d, %r9d
    call pv_gadget_raw
    movl $1, %gs:T_KICKABLE
    ret

/* ------------------------------------------------------------------ from a rewritten site */
    .balign 64
    .globl pv_entry_site
/* rax number, rcx where to return, r11 what the program shall find in rcx. */
pv_entry_site:
    mov %rsp, %gs:T_USER_RSP
    mov %gs:T_STACK_TOP, %rsp
    push $0x2b
    push %gs:T_USER_RSP
    pushfq
    push $0x33
    push %rcx
    push %rax
    push %rdi
    push %rsi
    push %rdx
    push %r11
    push %rax
    push %r8
    push %r9
    push %r10
    push F_EFLAGS-F_R11-8(%rsp)         /* r11 = flags, as syscall leaves it */
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    cld
    testl $0x40000, F_EFLAGS(%rsp)      /* AC would make unaligned access a fault in the kernel */
    jnz pv_clear_alignment_check
pv_call_kernel:
    mov %rsp, %gs:T_FRAME
    mov %rsp, %rdi
    sub $8, %rsp
    call kernel_system_call
    add $8, %rsp
pv_exit_action:
    cmp $1, %eax
    je pv_do_clone
    ja pv_end_thread
    .globl pv_return_to_user
pv_return_to_user:
pv_exit_start:                          /* --- window: a kick in here starts it again */
    mov %gs:T_FRAME, %rsp
    cmpl $0, %gs:T_PENDING
    jne pv_exit_work
    mov F_RIP(%rsp), %rax
    mov %rax, %gs:T_USER_RIP
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rax
    pop %rcx
    pop %rdx
    pop %rsi
    pop %rdi
    lea 24(%rsp), %rsp                  /* orig_rax, rip, cs */
    popfq
    mov (%rsp), %rsp
    jmp *%gs:T_USER_RIP
pv_exit_end:                            /* --- end of window */
pv_exit_work:
    mov %rsp, %rdi
    sub $8, %rsp
    call kernel_exit_work
    add $8, %rsp
    jmp pv_exit_action

pv_clear_alignment_check:
    pushfq
    andl $~0x40000, (%rsp)
    popfq
    jmp pv_call_kernel

/* ------------------------------------------------------------------ clone */
pv_do_clone:
    mov %gs:T_CLONE_FLAGS, %rdi
    xor %esi, %esi
    mov %gs:T_CLONE_AREA, %rbx
    lea T_HOST_THREAD(%rbx), %rdx
    xor %r10d, %r10d
    mov %gs:T_CLONE_TLS, %r8
    xor %r9d, %r9d
    mov $56, %eax
    jmp pv_gadget_clone
pv_cloned:                              /* no stack use before the child has its own */
    test %rax, %rax
    jz 1f
    mov %gs:T_FRAME, %rsp
    mov %rsp, %rdi
    mov %rax, %rsi
    sub $8, %rsp
    call kernel_cloned
    add $8, %rsp
    jmp pv_exit_action
1:  wrgsbase %rbx
    mov %gs:T_FRAME, %rsp
    call pv_arm_thread
    mov %rsp, %rdi
    sub $8, %rsp
    call kernel_thread_start
    add $8, %rsp
    jmp pv_exit_action

/* The last act of a thread: nothing may touch the area once it is free. */
    .globl pv_end_thread
pv_end_thread:
    movl $0, %gs:T_KICKABLE
    movl $0, %gs:T_IN_USE
    xor %edi, %edi
    mov $60, %eax
    jmp pv_gadget_raw

/* ------------------------------------------------------------------ the gadget */
    .balign 64
    .globl pv_gadget_start, pv_gadget_end, pv_direct, pv_direct_blocking, pv_restorer
pv_gadget_start:
pv_direct:
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %r10
    mov %r9, %r8
    mov 8(%rsp), %r9
    syscall
    ret
pv_direct_blocking:
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %r10
    mov %r9, %r8
    mov 8(%rsp), %r9
pv_blocking_start:                      /* --- window: a kick in here gives -EINTR */
    cmpl $0, %gs:T_PENDING
    jne pv_blocking_interrupted
pv_blocking_call:
    syscall
    ret                                 /* --- end of window: at the syscall instruction */
pv_blocking_interrupted:
    mov $-4, %rax
    ret
pv_gadget_raw:
    syscall
    ret
pv_gadget_clone:
    syscall
    jmp pv_cloned
pv_restorer:
    mov $15, %eax
    syscall
    ud2                                 /* dispatch looks at the address behind the call */
pv_gadget_end:
    .set pv_gadget_length, pv_gadget_end - pv_gadget_start

/* ------------------------------------------------------------------ host signals */
    .balign 64
    .globl pv_signal_entry
/* edi signal, rsi siginfo, rdx ucontext; on the thread's host signal stack. */
pv_signal_entry:
    pushfq                              /* Linux leaves AC as it is: no such checks in the kernel */
    andl $~0x40000, (%rsp)
    popfq
    mov U_RIP(%rdx), %rax
    cmpl $0, %gs:T_IN_CLOCK
    jne pv_signal_in_clock
    lea __text_start(%rip), %rcx
    cmp %rcx, %rax
    jb pv_signal_from_program
    lea __text_end(%rip), %rcx
    cmp %rcx, %rax
    jae pv_signal_from_program

    /* In the kernel. */
    cmp $SIGSEGV, %edi
    je pv_kernel_fault
    cmp $SIGBUS, %edi
    je pv_kernel_fault
    cmp $SIGSYS, %edi
    je pv_kernel_refused
    cmp $SIGILL, %edi
    je pv_kernel_panic
    cmp $SIGTRAP, %edi
    je pv_kernel_step
    cmp $SIGFPE, %edi
    je pv_kernel_panic
    /* A kick or a timer. */
    movl $1, %gs:T_PENDING
    cmp $SIGKICK, %edi
    je 1f
    push %rdx
    push %rax
    call kernel_host_timer              /* only marks; takes no lock */
    pop %rax
    pop %rdx
1:  lea pv_exit_start(%rip), %rcx
    cmp %rcx, %rax
    jb 2f
    lea pv_exit_end(%rip), %r8
    cmp %r8, %rax
    jae 2f
    mov %rcx, U_RIP(%rdx)
    ret                                 /* to pv_restorer */
2:  lea pv_blocking_start(%rip), %rcx
    cmp %rcx, %rax
    jb 3f
    lea pv_blocking_call(%rip), %rcx
    cmp %rcx, %rax
    ja 3f
    lea pv_blocking_interrupted(%rip), %rcx
    mov %rcx, U_RIP(%rdx)
3:  ret

pv_signal_in_clock:                     /* in the vDSO, but for the kernel */
    cmp $SIGSYS, %edi
    je pv_kernel_refused
    movl $1, %gs:T_PENDING
    cmp $SIGKICK, %edi
    je 1f
    sub $8, %rsp
    call kernel_host_timer
    add $8, %rsp
1:  ret

pv_kernel_step:                         /* a program that steps itself has come as far as here */
    testl $0x100, U_EFLAGS(%rdx)        /* TF */
    jz pv_kernel_panic
    andl $~0x100, U_EFLAGS(%rdx)
    ret                                 /* to pv_restorer */

pv_kernel_refused:                      /* the filter refused a call of the gadget */
    movq $-38, U_RAX(%rdx)
    ret                                 /* to pv_restorer */

pv_kernel_fault:
    lea pv_user_access_start(%rip), %rcx
    cmp %rcx, %rax
    jb pv_kernel_panic
    lea pv_user_access_end(%rip), %rcx
    cmp %rcx, %rax
    jae pv_kernel_panic
    lea pv_user_access_failed(%rip), %rcx
    mov %rcx, U_RIP(%rdx)
    ret                                 /* to pv_restorer */

pv_kernel_panic:
    mov %rax, %rsi                      /* rip */
    mov U_CR2(%rdx), %r8
    mov U_RSP(%rdx), %rcx
    mov U_RBP(%rdx), %r9
    and $-16, %rsp
    call kernel_panic                   /* (signal, rip, ucontext, rsp, cr2, rbp) */
    ud2

/* From the program: its registers go to the kernel stack, its vectors back where they were, and
 * the host signal frame is done with, so another may overwrite it. */
pv_signal_from_program:
    mov %gs:T_STACK_TOP, %rcx
    lea -F_SIZE(%rcx), %rcx
    mov U_R15(%rdx), %rax
    mov %rax, 0(%rcx)
    mov U_R14(%rdx), %rax
    mov %rax, 8(%rcx)
    mov U_R13(%rdx), %rax
    mov %rax, 16(%rcx)
    mov U_R12(%rdx), %rax
    mov %rax, 24(%rcx)
    mov U_RBP(%rdx), %rax
    mov %rax, 32(%rcx)
    mov U_RBX(%rdx), %rax
    mov %rax, 40(%rcx)
    mov U_R11(%rdx), %rax
    mov %rax, 48(%rcx)
    mov U_R10(%rdx), %rax
    mov %rax, 56(%rcx)
    mov U_R9(%rdx), %rax
    mov %rax, 64(%rcx)
    mov U_R8(%rdx), %rax
    mov %rax, 72(%rcx)
    mov U_RAX(%rdx), %rax
    mov %rax, 80(%rcx)
    mov U_RCX(%rdx), %rax
    mov %rax, 88(%rcx)
    mov U_RDX(%rdx), %rax
    mov %rax, 96(%rcx)
    mov U_RSI(%rdx), %rax
    mov %rax, 104(%rcx)
    mov U_RDI(%rdx), %rax
    mov %rax, 112(%rcx)
    mov U_RIP(%rdx), %rax
    mov %rax, 128(%rcx)
    movq $0x33, 136(%rcx)
    mov U_EFLAGS(%rdx), %rax
    mov %rax, 144(%rcx)
    mov U_RSP(%rdx), %rax
    mov %rax, 152(%rcx)
    movq $0x2b, 160(%rcx)
    mov %rcx, %gs:T_FRAME
    mov %edi, %r12d                     /* signal */
    mov 8(%rsi), %r13d                  /* si_code */
    mov 16(%rsi), %r14                  /* si_addr */
    mov U_TRAPNO(%rdx), %r15d
    mov U_ERR(%rdx), %ebx
    mov U_FPSTATE(%rdx), %r8
    test %r8, %r8
    jz 1f
    mov $-1, %eax
    mov $-1, %edx
    xrstor64 (%r8)
1:  mov %rcx, %rsp
    mov %rcx, %rdi
    cmp $SIGSYS, %r12d
    jne 2f
    mov F_RAX(%rcx), %rax
    mov %rax, F_ORIG_RAX(%rcx)
    sub $8, %rsp
    call kernel_trapped_call
    add $8, %rsp
    jmp pv_exit_action
2:  movq $-1, F_ORIG_RAX(%rcx)
    mov %r12d, %esi
    mov %r13d, %edx
    mov %r14, %rcx
    mov %r15d, %r8d
    mov %ebx, %r9d
    sub $8, %rsp
    call kernel_exception               /* (frame, signal, code, address, trap, error) */
    add $8, %rsp
    jmp pv_exit_action

/* ------------------------------------------------------------------ the program's memory */
    .balign 16
    .globl pv_copy_user, pv_clear_user, pv_copy_user_string, pv_user_load32, pv_user_store32, pv_user_exchange32, pv_user_store64
    .globl pv_save_vectors, pv_restore_vectors
pv_user_access_start:                   /* --- window: a fault in here ends in ..._failed */
pv_copy_user:
    mov %rdx, %rcx
    rep movsb
    mov %rcx, %rax
    ret
pv_clear_user:
    xor %eax, %eax
    mov %rsi, %rcx
    rep stosb
    mov %rcx, %rax
    ret
pv_copy_user_string:
    xor %eax, %eax
1:  cmp %rdx, %rax
    jae 2f
    mov (%rsi,%rax), %cl
    mov %cl, (%rdi,%rax)
    test %cl, %cl
    jz 3f
    inc %rax
    jmp 1b
2:  mov $-2, %rax
3:  ret
pv_user_load32:
    mov (%rdi), %eax
    mov %eax, (%rsi)
    xor %eax, %eax
    ret
pv_user_store32:
    mov %esi, (%rdi)
    xor %eax, %eax
    ret
pv_user_store64:
    xchg %rsi, (%rdi)
    xor %eax, %eax
    ret
pv_user_exchange32:
    mov %rcx, %r8
    mov %esi, %eax
    lock cmpxchg %edx, (%rdi)
    mov %eax, (%r8)
    setne %al
    movzbl %al, %eax
    ret
pv_save_vectors:
    mov %esi, %eax
    mov %rsi, %rdx
    shr $32, %rdx
    xsave64 (%rdi)
    xor %eax, %eax
    ret
pv_restore_vectors:
    mov %esi, %eax
    mov %rsi, %rdx
    shr $32, %rdx
    xrstor64 (%rdi)
    xor %eax, %eax
    ret
pv_user_access_end:
pv_user_access_failed:
    mov $-1, %rax
    ret

    .globl pv_reset_vectors, pv_get_fs_base, pv_set_fs_base, pv_trap
pv_reset_vectors:
    mov $-1, %eax
    mov $-1, %edx
    xrstor64 pv_clean_vectors(%rip)
    ret
pv_get_fs_base:
    rdfsbase %rax
    ret
pv_set_fs_base:
    wrfsbase %rdi
    ret
pv_trap:
    ud2

    .section .rodata
    .balign 64
pv_clean_vectors:                       /* XSTATE_BV 0: every feature to its initial state */
    .short 0x37f
    .zero 22
    .long 0x1f80
    .zero 4096 - 28

/* The image's half of struct pv_boot, at the very start of the writable segment. */
    .section .boot, "aw", @progbits
    .balign 4096
    .globl pv_boot_record
pv_boot_record:
    .quad 0x31564e4156415250
    .long 1
    .long pv_boot_size
    .quad pv_boot_entry
    .quad pv_signal_entry
    .quad pv_restorer
    .quad pv_gadget_start, pv_gadget_end
    .quad __text_start, __text_end
    .quad __blob_start, pv_blob_size
    .quad __writable_start, __writable_end
    .zero 8192 - 112
    .section .note.GNU-stack, "", @progbits
