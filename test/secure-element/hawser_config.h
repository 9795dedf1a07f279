/* The device's private key is a slot of the secure element, which mbedTLS knows nothing of. */
#ifndef ELEMENT_HAWSER_CONFIG_H
#define ELEMENT_HAWSER_CONFIG_H

#define HAWSER_AGREE HAWSER_AGREE_BOARD

#endif
