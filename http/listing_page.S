/* listing_page.S: the page of listings that is built in, as it lies in listing_page.html. Data alone. */
    .section .rodata
    .globl http_listing_page
    .globl http_listing_page_end
http_listing_page:
    .incbin HTTP_LISTING_PAGE
http_listing_page_end:
    .byte 0
    .section .note.GNU-stack, "", %progbits
